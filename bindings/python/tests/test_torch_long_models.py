"""Models of transformers, small and with random weights, converted by libsugar.torch: trained, compiled, exported.

    SUGAR_LIBRARY=... PYTHONPATH=bindings/python/src python3 bindings/python/tests/test_torch_long_models.py

Skipped where there is no transformers; what needs onnxruntime and onnxscript, where they are not.
"""

from __future__ import annotations

import copy
import importlib.util
import unittest
import warnings
from typing import Any

import torch
from libsugar.torch import convert
from torch_cases import difference

HAS = {name: importlib.util.find_spec(name) is not None
       for name in ("transformers", "onnx", "onnxruntime", "onnxscript")}


class Output(torch.nn.Module):
    """A model of transformers from one tensor to one tensor."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.model(x, return_dict=False)[0]
        return y


@unittest.skipUnless(HAS["transformers"], "skipped: there is no transformers")
class Models(unittest.TestCase):
    def image_model(self, model: str, **options: Any) -> tuple[torch.nn.Module, torch.Tensor]:
        import transformers
        config = getattr(transformers, f"{model}Config")(num_labels=4, **options)
        return getattr(transformers, f"{model}ForImageClassification")(config), torch.randn(8, 3, 32, 32)

    def test_resnet(self) -> None:
        self.check(*self.image_model("ResNet", embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1],
                                     layer_type="basic"), {"relu": "relu~bsilu"}, "Relu")

    def test_convnext(self) -> None:
        self.check(*self.image_model("ConvNextV2", hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, image_size=32),
                   {"gelu": "relu~gelu"}, "Relu")

    def test_swin(self) -> None:
        self.check(*self.image_model("Swin", image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[2, 2],
                                     window_size=4, drop_path_rate=0), {"gelu": "gelu~silu(blend=0.5)"}, "Gelu")

    def test_gpt2(self) -> None:
        import transformers
        config = transformers.GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=50, n_positions=32, attn_pdrop=0,
                                         embd_pdrop=0, resid_pdrop=0, bos_token_id=0, eos_token_id=0, use_cache=False)
        self.check(transformers.GPT2LMHeadModel(config), torch.randint(50, (8, 12)),
                   {"gelu_tanh": "relu~gelu_tanh"}, "Relu")

    def check(self, model: torch.nn.Module, x: torch.Tensor, mapping: Any, operation: str) -> None:
        model = Output(model.train())
        report = convert(model, mapping)
        self.assertTrue(report.replaced, str(report))
        self.trained(model, x)
        self.exported(model.eval(), x, operation)

    def trained(self, model: torch.nn.Module, x: torch.Tensor) -> None:
        """Eager and compiled, from the same start: the same losses, which fall."""
        torch.compiler.reset()
        start = copy.deepcopy(model.state_dict())
        eager = losses(model, model, x)
        model.load_state_dict(start)
        compiled = losses(model, torch.compile(model, fullgraph=True), x)
        self.assertLess(eager[-1], 0.9 * eager[0])
        self.assertTrue(torch.allclose(torch.tensor(compiled), torch.tensor(eager), rtol=1e-3), f"{compiled}, {eager}")

    @unittest.skipUnless(all(HAS.values()), "skipped: there is no onnx, onnxruntime or onnxscript")
    def exported(self, model: torch.nn.Module, x: torch.Tensor, operation: str) -> None:
        import onnxruntime
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = model(x)
            program = torch.onnx.export(model, (x,), dynamo=True, verbose=False)
        assert program is not None
        self.assertIn(operation, [node.op_type for node in program.model_proto.graph.node])
        session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        self.assertEqual(difference(torch.from_numpy(found), expected, 1e-4 * expected.abs().clamp(min=1)), "")


def losses(model: torch.nn.Module, step: Any, x: torch.Tensor) -> list[float]:
    """Of some steps on one batch, whose targets are its own order, or its tokens."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    made = []
    for _ in range(6):
        y = step(x)
        targets = x.flatten() if y.dim() == 3 else torch.arange(len(x)) % y.shape[-1]
        loss = torch.nn.functional.cross_entropy(y.flatten(0, -2), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        made.append(loss.item())
    return made


if __name__ == "__main__":
    unittest.main()
