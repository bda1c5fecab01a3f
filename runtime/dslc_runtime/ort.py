"""ONNX Runtime as an engine: sessions that run where they were asked to, or say why they cannot.

ONNX Runtime is optional (extras `cpu` and `gpu`); it is imported when a session is asked for. A GPU package on a machine
without a GPU lists CUDA as available and falls back to the CPU without a word; only an open session tells the truth, so
that is what is asked here.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dslc_runtime.errors import RuntimeFault

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

INSTALL_HELP = "install it with `pip install 'dslc[cpu]'`, or `pip install 'dslc[gpu]'` for an NVIDIA GPU, never both"


def is_installed() -> bool:
    """Whether ONNX Runtime can be imported at all."""
    return importlib.util.find_spec("onnxruntime") is not None


def packages() -> dict[str, str]:
    """The installed distributions that bring `onnxruntime`, with versions. More than one is a broken install."""
    found: dict[str, str] = {}
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _load() -> Any:
    if not is_installed():
        raise RuntimeFault("DL6001", "ONNX Runtime is not installed", help=INSTALL_HELP)
    return importlib.import_module("onnxruntime")


@dataclass(frozen=True, slots=True)
class Session:
    """An open ONNX Runtime session on one device."""

    device: str
    outputs: tuple[str, ...]
    _session: Any
    _types: Mapping[str, npt.DTypeLike]

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """All outputs by name. Feeds are converted to the declared element types; on CUDA, input and output are bound."""
        typed = {
            name: np.asarray(array, self._types[name], order="C")
            for name, array in feeds.items()
            if name in self._types
        }
        try:
            arrays = self._bound(typed) if self.device == "cuda" else self._session.run(self.outputs, typed)
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "onnxruntime":
                raise
            raise RuntimeFault("DL6003", f"ONNX Runtime failed: {_first_line(error)}") from error
        return dict(zip(self.outputs, arrays, strict=True))

    def _bound(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Run with inputs copied to the GPU once and outputs allocated there."""
        runtime = _load()
        binding = self._session.io_binding()
        for name, array in feeds.items():
            binding.bind_ortvalue_input(name, runtime.OrtValue.ortvalue_from_numpy(array, "cuda", 0))
        for name in self.outputs:
            binding.bind_output(name, "cuda", 0)
        self._session.run_with_iobinding(binding)
        return binding.copy_outputs_to_cpu()


def open_session(model: bytes, device: str = "cpu", threads: int | None = None) -> Session:
    """Open a session on `device` ("cpu" or "cuda").

    Raises:
        RuntimeFault: ONNX Runtime is missing (DL6001), the device cannot be had (DL6002), or the model is refused (DL6003).
    """
    runtime = _load()
    if device == "cuda":
        _preload(runtime)
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised or checked below
    if threads is not None:
        options.intra_op_num_threads = threads
    wanted = PROVIDERS[device]
    if wanted not in runtime.get_available_providers():
        raise _no_device(device, f"this build of ONNX Runtime ({', '.join(packages())}) has no {wanted}")
    chain = [wanted] if device == "cpu" else [wanted, PROVIDERS["cpu"]]
    try:
        session = runtime.InferenceSession(model, options, providers=chain)
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "onnxruntime":
            raise
        raise RuntimeFault("DL6003", f"ONNX Runtime refuses the model: {_first_line(error)}") from error
    active = session.get_providers()
    if wanted not in active:
        raise _no_device(device, f"the session opened on {', '.join(active)} instead")
    types = {item.name: _NUMPY[item.type] for item in session.get_inputs()}
    return Session(device, tuple(item.name for item in session.get_outputs()), session, types)


_NUMPY: dict[str, npt.DTypeLike] = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def _preload(runtime: Any) -> None:
    """Let the GPU package load CUDA and cuDNN from the installed wheels, where it can."""
    preload = getattr(runtime, "preload_dlls", None)
    if preload is not None:
        preload()


def _no_device(device: str, reason: str) -> RuntimeFault:
    return RuntimeFault(
        "DL6002",
        f"the device `{device}` was asked for and cannot be had: {reason}",
        help="`dslc doctor` tests each device; leave `--device` out to run on the CPU",
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def devices() -> Sequence[str]:
    """The names of all devices that can be asked for."""
    return tuple(PROVIDERS)
