"""The slopes that rrelu draws beside PyTorch's in training mode: two samples of a million each, compared by the
statistic of Kolmogorov and Smirnov; and how long a forward pass takes in cache, on one thread.

    slopes_torch.py LIBRARY

LIBRARY is libsugar.so. Exits with 77 if there is no torch."""
import ctypes
import math
import sys
import time

try:
    import torch
except ImportError:
    print("skipped: slopes beside PyTorch's: this Python has no torch")
    sys.exit(77)

COUNT = 1_000_000
TIMED, ROUNDS = 32768, 200
LOWER, UPPER = 1 / 8, 1 / 3
SIGNIFICANT = 1.95      # exceeded by one pair of samples in a thousand


class Random(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("seed", ctypes.c_uint64), ("offset", ctypes.c_uint64)]


class CallOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("flags", ctypes.c_uint64), ("context", ctypes.c_void_p),
                ("monitor", ctypes.c_void_p), ("parameter", ctypes.c_void_p),
                ("parameter_gradient", ctypes.c_void_p), ("saved_gradient", ctypes.c_void_p),
                ("random", ctypes.POINTER(Random))]


def check(library, status):
    if status != 0:
        library.sugar_last_error.restype = ctypes.c_char_p
        sys.exit("FAILED: " + library.sugar_last_error().decode())


def create(library, spec):
    activation = ctypes.c_void_p()
    check(library, library.sugar_activation_create(ctypes.byref(activation), spec.encode()))
    return activation


def forward(library, activation, x, y, random):
    """random is None for a plain call."""
    options = CallOptions(struct_size=ctypes.sizeof(CallOptions),
                          random=ctypes.pointer(random) if random is not None else None)
    step = ctypes.c_int64(1)
    check(library, library.sugar_forward_f32(activation, ctypes.c_int64(x.numel()), ctypes.c_void_p(x.data_ptr()), step,
                                             ctypes.c_void_p(y.data_ptr()), step, ctypes.byref(options)))


def draw(library, spec, x, seed):
    """-y for y = rrelu(x), which are slopes where x is -1."""
    activation, y = create(library, spec), torch.empty_like(x)
    forward(library, activation, x, y, Random(ctypes.sizeof(Random), seed, 0))
    library.sugar_activation_destroy(activation)
    return -y


def print_times(library):
    """The least of many rounds, in turns."""
    x = torch.randn(TIMED)
    y, noise = torch.empty_like(x), torch.empty_like(x)
    activation, random = create(library, "rrelu"), Random(ctypes.sizeof(Random), 1, 0)
    calls = {
        "plain": lambda: forward(library, activation, x, y, None),
        "drawn": lambda: forward(library, activation, x, y, random),
        "torch, drawn": lambda: torch.ops.aten.rrelu_with_noise(x, noise, LOWER, UPPER, True),
    }
    best = dict.fromkeys(calls, math.inf)
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    library.sugar_activation_destroy(activation)
    print("ns an element: " + ", ".join(f"{name} {1e9 * best[name] / TIMED:.3f}" for name in calls))


def distance(a, b):
    """The largest difference of the two distribution functions, times sqrt(n m / (n + m))."""
    a, b = a.sort().values, b.sort().values
    both = torch.cat([a, b])
    below = [torch.searchsorted(sample, both, right=True).double() / len(sample) for sample in (a, b)]
    return float((below[0] - below[1]).abs().max()) * math.sqrt(len(a) * len(b) / (len(a) + len(b)))


def main():
    library = ctypes.CDLL(sys.argv[1])
    torch.manual_seed(1)
    torch.set_num_threads(1)
    x = torch.full((COUNT,), -1.0)
    theirs = -torch.nn.functional.rrelu(x, LOWER, UPPER, training=True)
    ours = draw(library, "rrelu", x, 1)
    narrower = draw(library, "rrelu(lower=0.126,upper=0.333)", x, 1)
    found, other = distance(ours, theirs), distance(narrower, theirs)
    print(f"torch {torch.__version__}, {COUNT} slopes each: distance {found:.3f}, significant above {SIGNIFICANT}; "
          f"mean {float(ours.mean()):.6f} and {float(theirs.mean()):.6f}, "
          f"deviation {float(ours.std()):.6f} and {float(theirs.std()):.6f}")
    print(f"with bounds of 0.126 and 0.333 in ours: distance {other:.3f}")
    print_times(library)
    if found >= SIGNIFICANT:
        sys.exit("FAILED: the slopes are distributed otherwise than PyTorch's")
    if other < SIGNIFICANT:
        sys.exit("FAILED: the comparison does not tell other bounds")


main()
