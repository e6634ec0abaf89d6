"""What a pipeline model says of the inner loops of kernels: cycles per element on processors that are not here.

    python3 tests/bench/model.py                        the table of doc/speed.md
    python3 tests/bench/model.py --write                writes it there
    python3 tests/bench/model.py --level avx2 --processor znver4 gelu:forward relu:backward
    python3 tests/bench/model.py --measure              beside it, what this machine takes, which the model must know as
                                                        the first --processor
    python3 tests/bench/model.py --show gelu:forward --level avx2      the loop, as it goes to the model

The model is llvm-mca, which --mca names: 18 or newer for all processors of the table. It takes a loop for one without
cache misses, without branches that go the other way, and without loads that wait for a store. The loops are those of
the kernels in build/, and for aarch64 in build/tests/cross/aarch64, in f32 unless --type names another one; both are
brought up to date.

How a loop is found: in the kernel's function, the shortest way from a store to an array back to that store. Rare
formulas, which are branches, are not on it. Kernels that call a function in their loop cannot be modelled (sse4).
"""
import argparse
import functools
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOOPS = ["bsilu:backward", "gelu:forward", "tanh:forward", "silu:forward", "sigmoid:forward", "elu:forward",
         "mish:forward"]
# For each level: the machine of tests/cross/ that it is built for, if it is not this one; the prefix of its tools, its
# triple, and processors.
LEVELS = {
    "avx2": ("", "", "x86_64", ["haswell", "skylake", "sapphirerapids", "znver3", "znver4"]),
    "avx512": ("", "", "x86_64", ["skylake-avx512", "sapphirerapids", "znver4"]),
    "neon": ("aarch64", "aarch64-linux-gnu-", "aarch64", ["neoverse-n1", "neoverse-n2", "neoverse-v2"]),
}
BRANCH = re.compile(r"(j\w+|b|b\.\w+|cbn?z|tbn?z)$")
ALWAYS = ("jmp", "b")
# A store to an array: not to the stack, and not past the caches.
X86_STORE = re.compile(r"vmov(?!nt)\w+ %([xyz])mm\d+,(?!.*\(%rsp|-0x\w+\(%rbp\)).*\(")
ARM_STORE = re.compile(r"st[1r]\s+\{?[qv]\d+[^,]*, \[(?!sp|x29)")
BYTES = {"x": 16, "y": 32, "z": 64}
SIZE = {"f32": 4, "f64": 8, "f16": 2, "bf16": 2}
ITERATIONS = 200


class NoLoop(Exception):
    """A kernel that cannot be modelled, and why."""


def output(command, **options):
    try:
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout
    except FileNotFoundError:
        sys.exit(f"model: there is no {command[0]} here")
    except subprocess.CalledProcessError as error:
        sys.exit(f"model: {error}")


@functools.lru_cache(maxsize=None)
def kernels(build, level, dtype="f32"):
    """The object of the kernels for an element type, brought up to date."""
    machine = LEVELS[level][0]
    folder = build / "tests/cross" / machine if machine else build
    if machine and not (folder / "build.ninja").exists():
        output(["meson", "setup", str(folder), str(ROOT), "--cross-file", str(ROOT / f"tests/cross/{machine}.ini"),
                "--default-library=static", "-Dtests=true", "-Dbuildtype=release"])
    file = f"lib/libkernels_{level}_{dtype}.a.p/kernels_kernels.c.o"
    output(["ninja", "-C", str(folder), file])
    return folder / file


def disassembled(build, level, loop, dtype="f32"):
    """The kernel's function, as objdump prints it: the one for the defaults of its parameters, where there is one."""
    kind, way = loop.split(":")
    for name in (f"{kind}_default_{way}", f"{kind}_{way}"):
        listing = output([LEVELS[level][1] + "objdump", "-d", "--no-show-raw-insn", f"--disassemble={name}",
                          str(kernels(build, level, dtype))])
        if f"<{name}>:" in listing:
            break
    return listing


def instructions(listing):
    """address -> (instruction, address that it jumps to or None)."""
    code = {}
    for address, text in re.findall(r"^\s*([0-9a-f]+):\t(.*)$", listing, re.M):
        text = re.sub(r"\s+# .*|\s*//.*|\s*<.*>", "", text).replace("\t", " ").strip()
        text = re.sub(r"^(\S+) +", r"\1 ", text)
        target = None
        if BRANCH.match(text.split()[0]):
            text, target = re.match(r"(.*[ ,])([0-9a-f]+)$", text).groups()
            text, target = text + "target", int(target, 16)
        if "nop" not in text:
            code[int(address, 16)] = text, target
    return code


def next_ones(code):
    """address -> the addresses of the instructions that may follow."""
    addresses, after = sorted(code), {}
    for here, following in zip(addresses, addresses[1:] + [None]):
        text, target = code[here]
        name = text.split()[0]
        after[here] = [] if name in ALWAYS or name == "ret" or following is None else [following]
        if target is not None:
            # Where a nop was left out, the next one.
            after[here] += [a for a in addresses if a >= target][:1]
    return after


def way_back(after, start):
    """The shortest way from an instruction back to it, or None."""
    came_from, front = {}, [start]
    while front:
        beyond = []
        for here in front:
            for there in after[here]:
                if there not in came_from:
                    came_from[there] = here
                    beyond.append(there)
        if start in came_from:
            way = [start]
            while came_from[way[-1]] != start:
                way.append(came_from[way[-1]])
            return way[:1] + way[:0:-1]
        front = beyond
    return None


def stored(text):
    """Bytes that an instruction stores to an array."""
    match = X86_STORE.match(text)
    return BYTES[match[1]] if match else 16 if ARM_STORE.match(text) else 0


def shortest_loop(listing):
    """The instructions of the inner loop; None if there is none."""
    code = instructions(listing)
    after = next_ones(code)
    ways = [way for way in (way_back(after, a) for a in code if stored(code[a][0])) if way]
    return [code[a][0] for a in min(ways, key=len)] if ways else None


def inner_loop(build, level, loop, dtype="f32"):
    """Its instructions, and how many elements they store."""
    texts = shortest_loop(disassembled(build, level, loop, dtype))
    if not texts:
        raise NoLoop(f"{loop} at {level}: no loop was found")
    if any(text.split()[0] in ("call", "callq", "bl") for text in texts):
        raise NoLoop(f"{loop} at {level}: its loop calls a function")
    return texts, sum(map(stored, texts)) // SIZE[dtype]


def simulated(mca, level, processor, texts):
    """Of an iteration: what llvm-mca says in its summary, the cycles, and the cycles of each resource by its name."""
    command = [mca, f"--mtriple={LEVELS[level][2]}", f"--mcpu={processor}", f"--iterations={ITERATIONS}", "--json"]
    region = json.loads(output(command, input="\n".join(texts) + "\n"))
    where = region["TargetInfo"]["Resources"]
    region = region["CodeRegions"][0]
    used = {}
    for item in region["ResourcePressureView"]["ResourcePressureInfo"]:
        if item["InstructionIndex"] == len(texts):
            # Of several units of a kind, the number is a control character.
            name = re.sub(r"\.([\0-\x1f])", lambda match: f".{ord(match[1])}", where[item["ResourceIndex"]])
            used[name] = item["ResourceUsage"]
    return region["SummaryView"], region["SummaryView"]["TotalCycles"] / ITERATIONS, used


def modelled(mca, level, processor, texts, elements):
    """Cycles per element, and the busiest resource with its cycles per element."""
    _, cycles, used = simulated(mca, level, processor, texts)
    busiest = max(used, key=used.get)
    return cycles / elements, busiest, used[busiest] / elements


def nanoseconds(texts):
    """The shortest time and the median that instructions take here. They may change rax and the vector registers."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "time.c"), pathlib.Path(folder, "time")
        source.write_text("""#include <stdio.h>
#include <time.h>
int main(void)
{
    struct timespec a, b;
    double all[21];
    for (int k = 0; k < 21; k++) {
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int i = 0; i < 200000; i++)
            __asm__ volatile("TEXTS" : : : "cc", "rax", REGISTERS);
        clock_gettime(CLOCK_MONOTONIC, &b);
        double ns = 1e9 * (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec);
        int j = k;
        for (; j > 0 && all[j - 1] > ns; j--)
            all[j] = all[j - 1];
        all[j] = ns;
    }
    printf("%.6f %.6f\\n", all[0] / 200000, all[10] / 200000);
}
""".replace("TEXTS", "\\n\\t".join(texts).replace("%", "%%"))
                          .replace("REGISTERS", ", ".join(f'"xmm{k}"' for k in range(16))), encoding="utf-8")
        output(["cc", "-O2", "-o", str(program), str(source)])
        return map(float, output([str(program)]).split())


ADDITIONS = 20 * ["add %rax, %rax"]     # each waits for the last one, and takes a cycle


def clock():
    """Cycles per nanosecond."""
    _, median = nanoseconds(ADDITIONS)
    return len(ADDITIONS) / median


def cycles(texts):
    """Cycles that instructions take here if nothing disturbs them."""
    shortest, _ = nanoseconds(texts)
    cycle, _ = nanoseconds(ADDITIONS)
    return shortest / cycle * len(ADDITIONS)


def measured(build, level, loop, dtype):
    """Cycles per element here, in cache."""
    kind, way = loop.split(":")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        result = folder / "bench.json"
        output([str(build / "tests/bench/bench"), "--level", level, "--kind", kind, "--direction", way,
                "--dtype", dtype, "--elements", "32768", "--threads", "1", "--layout", "contiguous",
                "--implementation", "memcpy", "--json", str(result)])
        for case in json.loads(result.read_text(encoding="utf-8"))["results"]:
            if case["implementation"] == "sugar":
                return case["ns_per_element"] * clock()
    sys.exit(f"model: {loop} at {level} was not measured")


def table(arguments):
    """Lines of Markdown."""
    version = re.search(r"LLVM version (\S+)", output([arguments.mca, "--version"]))[1]
    yield f"llvm-mca {version}; cycles per element, and in brackets those of the busiest unit, which is named.\n\n"
    for level in arguments.level or LEVELS:
        processors = arguments.processor or LEVELS[level][3]
        heading = [f"`{level}`", "instructions", *processors] + (["measured"] if arguments.measure else [])
        yield "| " + " | ".join(heading) + " |\n" + "|---" * len(heading) + "|\n"
        for loop in arguments.loops or LOOPS:
            texts, elements = inner_loop(arguments.build, level, loop, arguments.type)
            cells = [loop.replace(":", " "), f"{len(texts)} for {elements}"]
            for processor in processors:
                cycles, busiest, used = modelled(arguments.mca, level, processor, texts, elements)
                cells.append(f"{cycles:.2f} ({used:.2f} {busiest})")
            if arguments.measure:
                cells.append(f"{measured(arguments.build, level, loop, arguments.type):.2f}")
            yield "| " + " | ".join(cells) + " |\n"
        yield "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loops", nargs="*", help="KIND:forward or KIND:backward")
    parser.add_argument("--level", action="append", choices=LEVELS)
    parser.add_argument("--processor", action="append", help="as llvm-mca -mcpu=help names it")
    parser.add_argument("--type", choices=SIZE, default="f32")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--mca", default="llvm-mca")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    try:
        answer(arguments)
    except NoLoop as reason:
        sys.exit(f"model: {reason}")


def answer(arguments):
    if arguments.show:
        for level in arguments.level or LEVELS:
            for loop in arguments.loops or LOOPS:
                print(f"# {loop}, {level}", *inner_loop(arguments.build, level, loop, arguments.type)[0], sep="\n")
    elif arguments.write:
        text = "".join(table(arguments)).rstrip("\n")
        page = ROOT / "doc/speed.md"
        before, _, rest = page.read_text(encoding="utf-8").partition("<!-- model: begin -->\n")
        page.write_text(f"{before}<!-- model: begin -->\n{text}\n<!-- model: end -->"
                        + rest.partition("<!-- model: end -->")[2], encoding="utf-8")
    else:
        print("".join(table(arguments)), end="")


if __name__ == "__main__":
    main()
