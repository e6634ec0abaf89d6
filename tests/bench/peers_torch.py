"""PyTorch for the benchmark: a co-process that times one case on request.

    python3 peers_torch.py DESCRIPTOR BYTES

The descriptor is of the memory that all implementations share. Requests come as lines of JSON on standard
input, answers go as lines to standard output:

    {"kind": ..., "direction": ..., "width": 4 or 8, "threads": ..., "shape": [...],
     "x" | "dy" | "out": {"offset": bytes, "strides": [...]}}     opens a case: "ok", or "none"
    {"calls": N}                                                  times it: the seconds as a decimal number

All calls write to the output they are given, so that no allocation is timed. Each is made from Python, and
pays for that what the cases with one element show. The backward passes of sigmoid and tanh start from the
output, which spares them the function itself: another problem than the one solved from the input.
"""
import json
import mmap
import sys
import time

try:
    import torch
except ImportError:
    sys.exit()      # the benchmark says so: no version comes

aten = torch.ops.aten
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
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
    "sigmoid": (
        lambda x, out: aten.sigmoid.out(x, out=out),
        lambda y, dy, out: aten.sigmoid_backward.grad_input(dy, y, grad_input=out),
    ),
    "log_sigmoid": (
        lambda x, out, buffer=torch.empty(0): aten.log_sigmoid_forward.output(x, output=out, buffer=buffer),
        None,           # starts from what the forward pass saved, neither input nor output
    ),
    "tanh": (
        lambda x, out: aten.tanh.out(x, out=out),
        lambda y, dy, out: aten.tanh_backward.grad_input(dy, y, grad_input=out),
    ),
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
FROM_OUTPUT = {"sigmoid": torch.sigmoid, "tanh": torch.tanh}


def view(memory, request, operand):
    """The tensor of an operand, over the shared memory; None where PyTorch cannot have it."""
    where, width = request[operand], request["width"]
    if min(where["strides"]) < 0:
        return None
    dtype = {4: torch.float32, 8: torch.float64}[width]
    extent = 1 + sum((n - 1) * s for n, s in zip(request["shape"], where["strides"]))
    flat = torch.frombuffer(memory, dtype=dtype, count=extent, offset=where["offset"])
    return torch.as_strided(flat, request["shape"], where["strides"])


def prepare(memory, request):
    """The call to time, or None."""
    backward = request["direction"] == "backward"
    function = KINDS.get(request["kind"], (None, None))[backward]
    operands = [view(memory, request, name) for name in (["x", "dy", "out"] if backward else ["x", "out"])]
    if function is None or any(operand is None for operand in operands):
        return None
    if backward and request["kind"] in FROM_OUTPUT:
        operands[0] = FROM_OUTPUT[request["kind"]](operands[0])
    torch.set_num_threads(request["threads"])
    return lambda: function(*operands)


def seconds(call, calls):
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - start


def main():
    memory = mmap.mmap(int(sys.argv[1]), int(sys.argv[2]))
    print(torch.__version__, flush=True)
    call = None
    with torch.inference_mode():
        for line in sys.stdin:
            request = json.loads(line)
            if "calls" in request:
                print(f"{seconds(call, request['calls']):.9f}", flush=True)
            else:
                call = prepare(memory, request)
                print("none" if call is None else "ok", flush=True)


if __name__ == "__main__":
    main()
