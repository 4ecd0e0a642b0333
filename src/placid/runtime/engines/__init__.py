"""What starts the processes of the nodes, and says when one ends."""
