"""Servers that a node is held against: each serves one ONNX file, raw float32 [1, 3, 32, 32] in, float32 logits out.

    python benchmarks/serving_rivals.py fastapi|mosec|litserve|ray FILE PORT

Each in its usual way of being fast for one model in one process on one thread: an endpoint that takes and gives bytes.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def session(file: str) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def answer(model: Any, body: bytes) -> bytes:
    image = np.frombuffer(body, np.float32).reshape(1, 3, 32, 32)
    return model.run(None, {model.get_inputs()[0].name: image})[0].tobytes()


def fastapi(file: str, port: int) -> None:
    import uvicorn
    from fastapi import FastAPI, Request, Response

    app, model = FastAPI(), session(file)

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        return Response(answer(model, await request.body()), media_type="application/octet-stream")

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def mosec(file: str, port: int) -> None:
    from mosec import Server, Worker

    class Model(Worker):
        def __init__(self) -> None:
            super().__init__()
            self.model = session(file)

        def deserialize(self, data: bytes) -> bytes:
            return data

        def serialize(self, data: bytes) -> bytes:
            return data

        def forward(self, data: bytes) -> bytes:
            return answer(self.model, data)

    # its own command line says where it listens
    sys.argv = ["mosec", "--address", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    server = Server()
    server.append_worker(Model, num=1)
    server.run()


def litserve(file: str, port: int) -> None:
    import litserve

    class Model(litserve.LitAPI):
        def setup(self, device: str) -> None:
            self.model = session(file)

        def decode_request(self, request: Any) -> bytes:
            return bytes.fromhex(request["image"])

        def predict(self, body: bytes) -> bytes:
            return answer(self.model, body)

        def encode_response(self, output: bytes) -> Any:
            return {"logits": output.hex()}

    litserve.LitServer(Model(), accelerator="cpu", workers_per_device=1).run(
        host="127.0.0.1", port=port, log_level="error", generate_client_file=False
    )


def ray(file: str, port: int) -> None:
    import time

    from ray import serve
    from starlette.requests import Request
    from starlette.responses import Response

    @serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 0.5})
    class Model:
        def __init__(self) -> None:
            self.model = session(file)

        async def __call__(self, request: Request) -> Response:
            return Response(answer(self.model, await request.body()), media_type="application/octet-stream")

    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(Model.bind(), route_prefix="/predict")
    time.sleep(3600)


if __name__ == "__main__":
    {"fastapi": fastapi, "mosec": mosec, "litserve": litserve, "ray": ray}[sys.argv[1]](
        sys.argv[2], int(sys.argv[3])
    )
