"""Encrypted nodes: clients and neighbours are served, strangers are not."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import numpy as np
import pytest
from test_live_network import PICTURES, live

from placid.errors import InputError
from placid.experiments.live import NetworkUp
from placid.runtime.certificates import Certificates
from placid.runtime.http.client import HttpClient
from placid.runtime.load.over_http import OverHttp
from placid.runtime.load.play import play
from placid.runtime.load.schedule import Schedule
from placid.runtime.protocol.messages import ProtocolError

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


def certificates(folder: Path) -> Certificates:
    folder.mkdir()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = f"-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {certificate}"
    names = "-subj /CN=placid -addext subjectAltName=IP:127.0.0.1,DNS:localhost"
    subprocess.run(
        f"openssl req -x509 -days 2 {made} {names}".split(), check=True, capture_output=True, timeout=60
    )
    return Certificates(folder)


def test_a_network_that_is_encrypted(tmp_path: Path) -> None:
    ours, others = certificates(tmp_path / "ours"), certificates(tmp_path / "others")
    triton = pytest.importorskip("tritonclient.grpc")

    async def work(network: NetworkUp, told: list[str]) -> None:
        await network.play(1)
        nodes = {name: running.clients for name, running in network.running.items()}
        ask = OverHttp(["camera", "phone"], ["task-1", "task-2"], nodes, PICTURES.pictures, tls=ours.asking)
        n = np.arange(20)
        records = await play(Schedule(n * 0.01, n % 2, n * 0, n), ask)
        await ask.close()
        assert (records.status == 200).all(), set(records.reason)
        assert set(records.node), "answered, some of it over several nodes"
        camera = network.running["camera"]
        token = network.live.specs["camera"].token
        # those who speak no TLS, trust somebody else, or show somebody else's certificate are not heard
        bare = ssl.create_default_context(cafile=str(ours.certificate))
        for tls, port in (
            (None, camera.clients.port),
            (others.asking, camera.clients.port),
            (bare, camera.peers.port),
            (_as(others, ours), camera.peers.port),
        ):
            stranger = HttpClient("127.0.0.1", port, token=token, tls=tls, timeout_s=5)
            with pytest.raises(ProtocolError) as caught:
                await stranger.get("/placid/tally")
            assert caught.value.status == 503
            await stranger.close()
        # any client that trusts the certificate is
        client = HttpClient("127.0.0.1", camera.clients.port, tls=bare)
        assert (await client.get("/v2/health/live"))[0] == 200
        await client.close()
        assert camera.grpc is not None
        address = f"127.0.0.1:{camera.grpc.port}"

        def live_by_grpc() -> bool:
            with triton.InferenceServerClient(
                address, ssl=True, root_certificates=str(ours.certificate)
            ) as other:
                return bool(other.is_server_live())

        assert await asyncio.to_thread(live_by_grpc)

    live(tmp_path, work, tls=tmp_path / "ours", grpc=True)


def test_what_is_no_certificate_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"certificate\.pem.*there is no such file"):
        Certificates(tmp_path)
    folder = certificates(tmp_path / "ours").folder
    (folder / "key.pem").write_text("no key")
    with pytest.raises(InputError, match="cannot be used for TLS"):
        Certificates(folder)


def _as(shown: Certificates, trusted: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(trusted.authority)
    context.load_cert_chain(shown.certificate, shown.key)
    return context
