"""Servers that a node is held against: each serves one ONNX file, raw float32 [1, 3, 32, 32] in, float32 logits out.

    RIVAL=fastapi|mosec|litserve|ray RIVAL_FILE=FILE RIVAL_PORT=PORT python benchmarks/serving_rivals.py

Each in its usual way of being fast for one model in one process on one thread: an endpoint that takes and gives bytes.
Workers that are started anew read this file again, so classes stand at its top. Annotations are not postponed: FastAPI reads
them.
"""

import os
import sys
from typing import Any

import numpy as np

NAME, FILE, PORT = os.environ["RIVAL"], os.environ["RIVAL_FILE"], int(os.environ["RIVAL_PORT"])
BYTES = "application/octet-stream"


def session() -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(FILE, options, providers=["CPUExecutionProvider"])


def answer(model: Any, body: bytes) -> bytes:
    image = np.frombuffer(body, np.float32).reshape(1, 3, 32, 32)
    return model.run(None, {model.get_inputs()[0].name: image})[0].tobytes()


if NAME == "fastapi":
    import uvicorn
    from fastapi import FastAPI, Request, Response

    app = FastAPI()
    loaded = session()

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        return Response(answer(loaded, await request.body()), media_type=BYTES)

    def serve() -> None:
        uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error", access_log=False)

elif NAME == "mosec":
    from mosec import Server, Worker

    class Model(Worker):
        def __init__(self) -> None:
            super().__init__()
            self.model = session()

        def deserialize(self, data: bytes) -> bytes:
            return data

        def serialize(self, data: bytes) -> bytes:
            return data

        def forward(self, data: bytes) -> bytes:
            return answer(self.model, data)

    def serve() -> None:
        # its own command line says where it listens
        sys.argv = ["mosec", "--address", "127.0.0.1", "--port", str(PORT), "--log-level", "error"]
        server = Server()
        server.append_worker(Model, num=1)
        server.run()

elif NAME == "litserve":
    import litserve

    class Model(litserve.LitAPI):  # type: ignore[no-redef]
        def setup(self, device: str) -> None:
            self.model = session()

        def decode_request(self, request):  # type: ignore[no-untyped-def]  # it reads annotations
            return bytes.fromhex(request["image"])

        def predict(self, body: bytes) -> bytes:
            return answer(self.model, body)

        def encode_response(self, output):  # type: ignore[no-untyped-def]
            return {"logits": output.hex()}

    def serve() -> None:
        litserve.LitServer(Model(), accelerator="cpu", workers_per_device=1).run(
            host="127.0.0.1", port=PORT, log_level="error", generate_client_file=False
        )

else:
    import time

    from ray import serve as ray_serve
    from starlette.requests import Request
    from starlette.responses import Response

    @ray_serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 0.5})
    class Model:  # type: ignore[no-redef]
        def __init__(self) -> None:
            self.model = session()

        async def __call__(self, request: Request) -> Response:
            return Response(answer(self.model, await request.body()), media_type=BYTES)

    def serve() -> None:
        ray_serve.start(http_options={"host": "127.0.0.1", "port": PORT})
        ray_serve.run(Model.bind(), route_prefix="/predict")
        time.sleep(3600)


if __name__ == "__main__":
    serve()
