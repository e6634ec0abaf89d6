"""What test_torch_ways.py leaves out, as compilers take minutes for it.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_long_ways.py
"""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

import test_torch_export as export
import test_torch_ways as ways
import torch
from torch_cases import SPECS, TYPES


class EveryKind(ways.Compared):
    """PyTorch compiles no torch.func.linearize."""

    def test_compiled_by_inductor(self) -> None:
        for dtype in TYPES:
            self.agree(ways.backward_of(ways.compiled(ways.all_of, "inductor")), (dtype,))

    def test_compiled_transforms(self) -> None:
        for way in (ways.vjp, ways.jvp, ways.vmap, ways.nested_vmap):
            for dtype in (torch.float32, torch.bfloat16):
                with self.subTest(f"{way.__name__}, {dtype}"):
                    self.agree(ways.compiled(way, "inductor"), (dtype,))


class SecondDerivatives(ways.Differentiated):
    def test_compiled(self) -> None:
        self.agree_compiled(("torch.func.hessian", "vmap of grad of grad", "grad of jvp", "jvp of jvp",
                             "jacrev of jacrev"), SPECS)


class Packaged(export.Compared):
    def test_ahead_of_time(self) -> None:
        """AOTInductor: compiled into a package, which is loaded and run."""
        for dtype in (torch.float32, torch.bfloat16):
            model = export.EveryKind().to(dtype).eval()
            x = self.inputs(dtype)
            program = torch.export.export(model, (x,))
            with tempfile.TemporaryDirectory() as folder, torch.no_grad():
                path = torch._inductor.aoti_compile_and_package(program, package_path=str(Path(folder) / "every.pt2"))
                self.agree(torch._inductor.aoti_load_package(path)(x), x, model)


if __name__ == "__main__":
    unittest.main()
