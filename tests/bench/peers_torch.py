"""PyTorch for the benchmark: a co-process that times cases on request.

    python3 peers_torch.py DESCRIPTOR BYTES

The descriptor is of the memory that all implementations share. Requests come as lines of JSON on standard
input, answers go as lines to standard output:

    {"slot": 0 or 1, "kind": ..., "direction": ..., "dtype": ..., "threads": ..., "from": "input" or "output",
     "shape": [...], "x" | "dy" | "out" | "third" | "other": {"offset": bytes, "strides": [...]}}
                                    opens a case in a slot: "ok", or "none"
    {"slot": ..., "calls": N}       times it: the seconds as a decimal number

All calls write to the output they are given, so that no allocation is timed. Each is made from Python, and
pays for that what the cases with one element show. Some backward passes of PyTorch start from what its forward
pass left behind: that is another problem than the one solved from the input. From "input", they compute it anew
first; from "output", they have it, and only they are a case.
"""
import json
import mmap
import os
import sys
import time

try:
    import torch
except ImportError:
    sys.exit(3)     # as torch.c expects, which says so

aten = torch.ops.aten
CORES = os.sched_getaffinity(0)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
LOG_SIGMOID = aten.log_sigmoid_forward.output
RRELU_SLOPE = (1 / 8 + 1 / 3) / 2


def elu(alpha, scale):
    return (
        lambda x, out: aten.elu.out(x, alpha, scale, 1, out=out),
        lambda x, dy, out: aten.elu_backward.grad_input(dy, alpha, scale, 1, False, x, grad_input=out),
    )


def leaky(slope):
    return (
        lambda x, out: aten.leaky_relu.out(x, slope, out=out),
        lambda x, dy, out: aten.leaky_relu_backward.grad_input(dy, x, slope, False, grad_input=out),
    )


def gelu(how):
    return (
        lambda x, out: aten.gelu.out(x, approximate=how, out=out),
        lambda x, dy, out: aten.gelu_backward.grad_input(dy, x, approximate=how, grad_input=out),
    )


def hardtanh(low, high):
    return (
        lambda x, out: aten.hardtanh.out(x, low, high, out=out),
        lambda x, dy, out: aten.hardtanh_backward.grad_input(dy, x, low, high, grad_input=out),
    )


# Forward and backward with the default parameters of libsugar's kinds; None where PyTorch has no variant
# that writes to a given output. relu is what torch.relu calls.
KINDS = {
    "identity": (lambda x, out: out.copy_(x), None),
    "relu": (
        lambda x, out: aten.clamp_min.out(x, 0, out=out),
        lambda x, dy, out: aten.threshold_backward.grad_input(dy, x, 0, grad_input=out),
    ),
    "relu6": hardtanh(0, 6),
    "threshold": (
        lambda x, out: aten.threshold.out(x, 1, 0, out=out),
        lambda x, dy, out: aten.threshold_backward.grad_input(dy, x, 1, grad_input=out),
    ),
    "leaky_relu": leaky(0.01),
    "rrelu": leaky(RRELU_SLOPE),
    "elu": elu(1, 1),
    "celu": elu(1, 1),
    "selu": elu(SELU_ALPHA, SELU_SCALE),
    "gelu": gelu("none"),
    "gelu_tanh": gelu("tanh"),
    "silu": (
        lambda x, out: aten.silu.out(x, out=out),
        lambda x, dy, out: aten.silu_backward.grad_input(dy, x, grad_input=out),
    ),
    "mish": (lambda x, out: aten.mish.out(x, out=out), None),
    "softplus": (
        lambda x, out: aten.softplus.out(x, 1, 20, out=out),
        lambda x, dy, out: aten.softplus_backward.grad_input(dy, x, 1, 20, grad_input=out),
    ),
    "sigmoid": (lambda x, out: aten.sigmoid.out(x, out=out), None),
    "log_sigmoid": (lambda x, out: LOG_SIGMOID(x, output=out, buffer=EMPTY[x.dtype]), None),
    "tanh": (lambda x, out: aten.tanh.out(x, out=out), None),
    "softshrink": (
        lambda x, out: aten.softshrink.out(x, 0.5, out=out),
        lambda x, dy, out: aten.softshrink_backward.grad_input(dy, x, 0.5, grad_input=out),
    ),
    "hardshrink": (
        lambda x, out: aten.hardshrink.out(x, 0.5, out=out),
        lambda x, dy, out: aten.hardshrink_backward.grad_input(dy, x, 0.5, grad_input=out),
    ),
    "hardtanh": hardtanh(-1, 1),
    "hardsigmoid": (
        lambda x, out: aten.hardsigmoid.out(x, out=out),
        lambda x, dy, out: aten.hardsigmoid_backward.grad_input(dy, x, grad_input=out),
    ),
    "hardswish": (lambda x, out: aten.hardswish.out(x, out=out), None),
    "sign": (lambda x, out: aten.sign.out(x, out=out), None),
}


def with_gate(kind):
    """A gated unit, with a tensor between its operations that exists already."""
    value, derivative = KINDS[kind]

    def forward(x, gate, out, between):
        value(x, between)
        aten.mul.out(between, gate, out=out)

    def backward(x, dy, gate, out, other, between):
        aten.mul.out(dy, gate, out=between)
        derivative(x, between, out)
        value(x, between)
        aten.mul.out(dy, between, out=other)
    return forward, backward


def with_bias(kind):
    """The backward pass starts from the sum, which the forward pass leaves behind."""
    value, derivative = KINDS[kind]

    def forward(x, bias, out, between):
        aten.add.out(x, bias, out=between)
        value(between, out)

    def backward(x, dy, bias, out, other, between):
        derivative(between, dy, out)
        aten.sum.IntList_out(out, [d for d in range(x.dim()) if d != 1], True, out=other)
    return forward, backward


def twice(kind, x, dy, v, out, other):
    """The second backward pass, as autograd records it; it makes its outputs, whose values are stored here."""
    function = {"silu": torch.nn.functional.silu, "tanh": torch.tanh}[kind]
    with torch.inference_mode(False), torch.enable_grad():
        x, dy, v = x.clone().requires_grad_(), dy.clone().requires_grad_(), v.clone()
        dx, = torch.autograd.grad(function(x), x, dy, create_graph=True)

    def call():
        with torch.inference_mode(False):
            return torch.autograd.grad(dx, (x, dy), v, retain_graph=True)
    for to, made in zip((out, other), call()):
        to.copy_(made)
    return call


def added(memory, request, x, dy, out):
    """The call of a kind with an addition: "silu gate", "relu bias", "tanh twice"; None for a plain one."""
    kind, _, addition = request["kind"].partition(" ")
    if not addition or request["from"] == "output":
        return None
    third, other = view(memory, request, "third")[0], view(memory, request, "other")[0]
    if addition == "twice":
        return twice(kind, x, dy, third, out, other)
    if addition == "bias":
        units = [n if d == 1 else 1 for d, n in enumerate(request["shape"])]
        third, other = (t.flatten()[:units[1]].reshape(units) for t in (third, other))
    forward, backward = {"gate": with_gate, "bias": with_bias}[addition](kind)
    between = torch.empty_like(x)
    forward(x, third, out, between)     # a backward pass starts from what this leaves behind
    if request["direction"] == "backward":
        return lambda: backward(x, dy, third, out, other, between)
    return lambda: forward(x, third, out, between)


DTYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64}
EMPTY = {dtype: torch.empty(0, dtype=dtype) for dtype in DTYPES.values()}


def from_left_behind(kind, x):
    """What the forward pass leaves behind for these kinds: how to compute it anew, and the backward pass."""
    left = torch.empty_like(x)
    if kind == "sigmoid":
        return (lambda out: aten.sigmoid.out(x, out=left),
                lambda dy, out: aten.sigmoid_backward.grad_input(dy, left, grad_input=out))
    if kind == "tanh":
        return (lambda out: aten.tanh.out(x, out=left),
                lambda dy, out: aten.tanh_backward.grad_input(dy, left, grad_input=out))
    if kind == "log_sigmoid":
        return (lambda out: LOG_SIGMOID(x, output=out, buffer=left),
                lambda dy, out: aten.log_sigmoid_backward.grad_input(dy, x, left, grad_input=out))
    return None


def in_two_steps(request, x, dy, out):
    """The call for kinds whose backward pass starts from what is left behind, or None."""
    steps = from_left_behind(request["kind"], x)
    if steps is None:
        return None
    forward, backward = steps
    if request["from"] == "output":
        forward(out)
        return lambda: backward(dy, out)
    return lambda: (forward(out), backward(dy, out))


def view(memory, request, operand):
    """The tensor of an operand, over the shared memory; the dimensions whose negative strides it has not."""
    where, dtype = request[operand], DTYPES[request["dtype"]]
    flipped = [d for d, stride in enumerate(where["strides"]) if stride < 0]
    strides = [abs(stride) for stride in where["strides"]]
    back = sum((request["shape"][d] - 1) * strides[d] for d in flipped)
    extent = 1 + sum((n - 1) * s for n, s in zip(request["shape"], strides))
    flat = torch.frombuffer(memory, dtype=dtype, count=extent, offset=where["offset"] - back * dtype.itemsize)
    return torch.as_strided(flat, request["shape"], strides), flipped


def prepare(memory, request):
    """The call to time, or None. PyTorch has no negative strides: it makes a copy in reverse first."""
    os.sched_setaffinity(0, {max(CORES)} if request["threads"] == 1 else CORES)    # as measure.c does
    torch.set_num_threads(request["threads"])
    backward = request["direction"] == "backward"
    stored, flipped = view(memory, request, "x")
    x = torch.empty_like(stored) if flipped else stored
    dy, out = view(memory, request, "dy")[0], view(memory, request, "out")[0]
    if call := added(memory, request, x, dy, out) or (backward and in_two_steps(request, x, dy, out)):
        return call
    function = KINDS.get(request["kind"], (None, None))[backward]
    if function is None or request["from"] == "output":
        return None
    if flipped and backward:
        return lambda: (aten.flip.out(stored, flipped, out=x), function(x, dy, out))
    if flipped:
        return lambda: (aten.flip.out(stored, flipped, out=x), function(x, out))
    return (lambda: function(x, dy, out)) if backward else (lambda: function(x, out))


def prepare_and_try(memory, request):
    """The call to time, or None where PyTorch does not have it for this type: a run goes on without it."""
    try:
        call = prepare(memory, request)
        if call is not None:
            call()
        return call
    except RuntimeError as error:
        print(f"torch: {request['kind']} {request['direction']} {request['dtype']}: {error}", file=sys.stderr)
        return None


def seconds(call, calls):
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - start


def main():
    memory = mmap.mmap(int(sys.argv[1]), int(sys.argv[2]))
    print(torch.__version__, flush=True)
    calls = {}
    with torch.inference_mode():
        for line in sys.stdin:
            request = json.loads(line)
            if "calls" in request:
                print(f"{seconds(calls[request['slot']], request['calls']):.9f}", flush=True)
            else:
                calls[request["slot"]] = call = prepare_and_try(memory, request)
                print("none" if call is None else "ok", flush=True)


if __name__ == "__main__":
    main()
