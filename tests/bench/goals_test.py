"""Tests of goals.py, speed.py, plot.py and peers.py on small made-up runs whose verdicts are known.

    python3 goals_test.py
"""
import contextlib
import copy
import io
import json
import pathlib
import tempfile
import unittest
import unittest.mock

import goals
import peers  # goals says where it is
import plot
import speed
from goals import CACHE, LAST_CACHE


def records(case, **times):
    """case: kind, direction, dtype, elements, threads, layout; times by implementation, "_" for "-"."""
    names = ("kind", "direction", "dtype", "elements", "threads", "layout")
    return [{**dict(zip(names, case)), "implementation": name.replace("_", "-"), "ns_per_element": ns}
            for name, ns in times.items()]


def write(folder, results, **more):
    path = pathlib.Path(folder) / "bench.json"
    path.write_text(json.dumps({"results": results, "cpu": "none", "level": "scalar",
                                "versions": {"sugar": "0"}} | more))
    return path


def write_errors(folder, **ulps):
    """What peer_errors writes, for the value of gelu: an error in the tail, by implementation."""
    def region(size, at):
        return {"max_ulp": size, "at": at}
    found = [{"kind": "gelu", "direction": "value", "dtype": "f32", "implementation": name, "keeps_4_ulp": size <= 4,
              "first_above_4_ulp": -5, "body_absolute": 1e-7, "body": region(1, 2), "tail": region(size, -9),
              "edge": region(5, -13), "large": region(0, 0), "small_input": region(0.5, 0),
              "small_result": region(1e7, -14)} for name, size in ulps.items()]
    path = pathlib.Path(folder) / "peers.json"
    path.write_text(json.dumps({"results": found, "cpu": "none", "level": "scalar", "versions": {}}))
    return path


def cases_of(results):
    with tempfile.TemporaryDirectory() as folder:
        return goals.read(goals.load(write(folder, results)))


def verdicts(results, errors=None):
    """The goals that were judged, by their number: whether each of their cases met them."""
    found = {}
    for title, checks in goals.goals(cases_of(results), errors or {}):
        for _, _, met in checks:
            found.setdefault(title[5], []).append(met)
    return found


class Goals(unittest.TestCase):
    def expect(self, goal, met, missed):
        self.assertEqual(verdicts(met), {goal: [True]})
        self.assertEqual(verdicts(missed), {goal: [False]})

    def test_1_fastest_peer_counts_and_others_do_not(self):
        case = ("gelu", "forward", "f32", CACHE, 1, "contiguous")
        self.expect("1", records(case, sugar=1, torch=3, onednn=1, loop=0.1, torch_output=0.1, sugar_output=0.1),
                    records(case, sugar=1, torch=3, onednn=0.99))

    def test_1_two_threads_are_judged_by_size(self):
        for elements in (CACHE, LAST_CACHE):
            case = ("gelu", "forward", "f32", elements, 2, "contiguous")
            self.expect("1", records(case, sugar=1, torch=1), records(case, sugar=1, torch=0.99))
            titles = [title for title, checks in goals.goals(cases_of(records(case, sugar=1, torch=1)), {})
                      if list(checks)]
            self.assertEqual(titles, [f"Goal 1, in cache, two threads, {elements} elements: no slower than the "
                                      "fastest peer within 4 ULP"])

    def test_1_peers_beyond_4_ulp_may_be_faster(self):
        case = ("gelu", "forward", "f32", CACHE, 1, "contiguous")
        with tempfile.TemporaryDirectory() as folder:
            errors = peers.read(peers.load(write_errors(folder, torch=4, onednn=5)))
        for torch, onednn, verdict in ((1, 0.8, [True, True]), (0.99, 0.8, [False, True]), (1, 0.79, [True, False])):
            self.assertEqual(verdicts(records(case, sugar=1, torch=torch, onednn=onednn), errors), {"1": verdict})

    def test_2_streaming_loop(self):
        case = ("sign", "backward", "f32", goals.RAM, 1, "contiguous")
        self.expect("2", records(case, sugar=1, loop=2, loop_nt=0.91),
                    records(case, sugar=1, loop=2, loop_nt=0.89))

    def test_2_relu_against_peers(self):
        case = ("relu", "forward", "f32", goals.RAM, 1, "contiguous")
        self.expect("2", records(case, sugar=1, torch=1.31, onednn=2),
                    records(case, sugar=1, torch=1.29, onednn=2))

    def test_3_sum_of_directions_on_two_threads(self):
        def run(backward):
            return [r for kind, way, ns in (("relu", "forward", 1), ("relu", "backward", 1),
                                            ("relu~bsilu", "forward", 1), ("relu~bsilu", "backward", backward))
                    for r in records((kind, way, "f32", goals.RAM, 2, "contiguous"), sugar=ns)]
        self.expect("3", run(1.5), run(1.51))

    def test_4_beside_f32(self):
        def run(ns):
            return (records(("silu", "forward", "f32", goals.RAM, 1, "contiguous"), sugar=1.6)
                    + records(("silu", "forward", "bf16", goals.RAM, 1, "contiguous"), sugar=ns))
        self.expect("4", run(1), run(1.01))

    def test_5_torch_alone(self):
        case = ("silu", "forward", "f32", LAST_CACHE, 1, "NCHW>NHWC")
        self.expect("5", records(case, sugar=1, torch=1, onednn=0.5), records(case, sugar=1, torch=0.99))

    def test_6_per_call(self):
        case = ("relu", "forward", "f32", 16, 1, "tensor")
        self.expect("6", records(case, sugar=50 / 16), records(case, sugar=51 / 16))

    def test_7_two_threads(self):
        case = ("gelu", "forward", "f32", LAST_CACHE, 2, "contiguous")
        self.expect("7", records(case, sugar=1, sugar_alone=1.91), records(case, sugar=1, sugar_alone=1.89))

    def test_8_additions_beside_the_loop(self):
        for kind, layout in (("silu gate", "whole"), ("relu bias", "channels"), ("tanh twice", "whole")):
            case = (kind, "backward", "bf16", goals.RAM, 1, layout)
            self.expect("8", records(case, sugar=1.15, loop=2, loop_nt=1), records(case, sugar=1.16, loop=2, loop_nt=1))

    def test_8_additions_beside_peers(self):
        case = ("silu gate", "forward", "f32", CACHE, 1, "whole")
        self.expect("8", records(case, sugar=1, torch=2, loop=0.1), records(case, sugar=1, torch=1.9))
        self.assertEqual(verdicts(records(("silu twice", "backward", "f32", CACHE, 1, "whole"), sugar=1, torch=1)), {})

    def test_9_monitors(self):
        case = ("gelu", "forward", "f32", goals.RAM, 1, "contiguous")
        self.expect("9", records(case, sugar=1, sugar_monitored=1.5), records(case, sugar=1, sugar_monitored=1.51))

    def test_9_one_call_in_ten(self):
        case = ("relu", "forward", "f16", goals.RAM, 2, "NCHW>NCHW")
        self.expect("9", records(case, sugar=1, sugar_sampled=1.05), records(case, sugar=1, sugar_sampled=1.06))

    def test_absent_peers_are_not_judged(self):
        for elements, layout in ((CACHE, "contiguous"), (LAST_CACHE, "x reversed")):
            self.assertEqual(verdicts(records(("gelu", "forward", "f32", elements, 1, layout), sugar=1)), {})


class Damaged(unittest.TestCase):
    """Files that are no run of the benchmark: one line, which names the file and what is wrong."""
    CASE = ("gelu", "forward", "f32", CACHE, 1, "contiguous")

    def expect(self, text, found):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "bench.json"
            path.write_bytes(text)
            with self.assertRaises(SystemExit) as end:
                goals.load(path)
        self.assertRegex(str(end.exception), f"^{path}: {found}.*; expected a complete file as the benchmark ")
        self.assertNotIn("\n", str(end.exception))

    def change(self, found, edit):
        """An edited copy of a run that can be read."""
        with tempfile.TemporaryDirectory() as folder:
            path = write(folder, records(self.CASE, sugar=1, torch=2))
            run = copy.deepcopy(goals.load(path))
        edit(run)
        self.expect(json.dumps(run).encode(), found)

    def test_no_json(self):
        self.expect(b"", "Expecting value")
        self.expect(b'{"results": [\n{"kind": "gelu"', "Expecting ',' delimiter")
        self.expect(b"\xff\xfe\x00", "'utf-8' codec")
        self.expect(b"[" * 100000, "nested too deeply")

    def test_other_json(self):
        self.expect(b"[]", "no JSON object")
        self.expect(b"{}", "no cpu, level, results, versions")
        self.change("its results are no list", lambda run: run.update(results=5))
        self.change("result 0 is no JSON object", lambda run: run.update(results=[5]))

    def test_fields(self):
        self.change("result 1 has no kind", lambda run: run["results"][1].pop("kind"))
        self.change("result 0: elements is 'many'", lambda run: run["results"][0].update(elements="many"))
        self.change("a time is no number above 0", lambda run: run["results"][0].update(ns_per_element=0))
        self.change("a time is no number above 0",
                    lambda run: run["results"][0].update(ns_per_element=float("nan")))
        self.change("a case without a time of sugar", lambda run: run["results"].pop(0))

    def test_no_file(self):
        with self.assertRaisesRegex(SystemExit, "^/no/such.json: cannot be read: No such file"):
            goals.load("/no/such.json")


class Disturbed(unittest.TestCase):
    """A run beside other processes says so wherever its times are shown."""
    CASE = ("gelu", "forward", "f32", CACHE, 1, "contiguous")

    def shown(self, **more):
        with tempfile.TemporaryDirectory() as folder:
            path = write(folder, records(self.CASE, sugar=1, torch=2), **more)
            bench = goals.load(path)
            printed = io.StringIO()
            with unittest.mock.patch("sys.argv", ["goals.py", path]), contextlib.redirect_stdout(printed):
                goals.main()
        return printed.getvalue(), plot.draw(bench), speed.machine(bench)

    def test_warning_is_shown(self):
        for text in self.shown(warning="others were busy"):
            self.assertIn("warning: others were busy", text)

    def test_errors_of_another_level_do_not_count(self):
        with tempfile.TemporaryDirectory() as folder:
            path = write(folder, records(self.CASE, sugar=1, torch=0.9), level="avx2")
            printed = io.StringIO()
            with unittest.mock.patch("sys.argv", ["goals.py", path, write_errors(folder, torch=5)]), \
                    contextlib.redirect_stdout(printed):
                goals.main()
        self.assertIn("errors at level scalar, not avx2", printed.getvalue())
        self.assertIn("the fastest peer within 4 ULP: 0 met, 1 missed", printed.getvalue())

    def test_nothing_else_is(self):
        for text in self.shown(cores_busy_with_others=0.02):
            self.assertNotIn("warning", text)


class Picture(unittest.TestCase):
    def test_written_whole_or_not_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "bench.svg"
            path.write_text("earlier")
            link = pathlib.Path(folder) / "link.svg"
            link.symlink_to(path)
            with self.assertRaises(UnicodeEncodeError):
                plot.results.write(path, "\udc00")
            self.assertEqual(path.read_text(), "earlier")
            plot.results.write(path, "later")
            self.assertEqual(path.read_text(), "later")
            plot.results.write(link, "through")
            self.assertEqual(path.read_text(), "through")


class Errors(unittest.TestCase):
    def test_verdicts(self):
        with tempfile.TemporaryDirectory() as folder:
            errors = peers.read(peers.load(write_errors(folder, torch=4, ggml=4.01)))
        self.assertTrue(peers.keeps(errors, "gelu", "forward", "f32", "torch"))
        self.assertFalse(peers.keeps(errors, "gelu", "forward", "f32", "ggml"))
        self.assertTrue(peers.keeps(errors, "gelu", "forward", "f32", "not measured"))
        found = errors["gelu", "forward", "f32", "torch"]
        self.assertEqual((str(found), found.at, found.lost), ("4.00", -9, ["edge", "sub y"]))


class Speed(unittest.TestCase):
    def test_table_names_the_fastest_peer(self):
        case = ("gelu", "forward", "f32", CACHE, 1, "contiguous")
        with tempfile.TemporaryDirectory() as folder:
            bench = goals.load(write(folder, records(case, sugar=0.5, torch=2, onednn=1)))
            text = speed.tables(goals.read(bench), {})
        self.assertIn("| gelu | 0.500 | 1.000 onednn | 2.00 |  |  |  |", text)
        self.assertNotIn("in memory", text.split("in cache", 1)[1])

    def test_table_tells_peers_apart_by_their_errors(self):
        case = ("gelu", "forward", "f32", CACHE, 1, "contiguous")
        with tempfile.TemporaryDirectory() as folder:
            bench = goals.load(write(folder, records(case, sugar=0.5, torch=2, onednn=1, xnnpack=0.25, ggml=0.4)))
            errors = peers.read(peers.load(write_errors(folder, torch=1.5, onednn=4, xnnpack=1e6, ggml=5)))
            text = speed.tables(goals.read(bench), errors)
        self.assertIn("| gelu | 0.500 | 1.000 onednn (4.00) | 2.00 | 0.250 xnnpack (1.0e+06 from -5 on) | 0.50 |", text)

    def test_errors_are_those_of_the_level(self):
        with tempfile.TemporaryDirectory() as folder:
            path = write_errors(folder, torch=1.5)
            self.assertEqual(list(speed.errors_at(path, "scalar")), [("gelu", "forward", "f32", "torch")])
            with self.assertRaisesRegex(SystemExit, f"^{path}: measured at level scalar, expected avx2: SUGAR_LEVEL="):
                speed.errors_at(path, "avx2")

    def test_document_has_a_place_for_each_block(self):
        document = (speed.ROOT / "doc" / "speed.md").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "speed.md"
            for name in ("speed avx2", "speed avx512"):
                begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
                path.write_text(document, encoding="utf-8")
                speed.replace(path, name, "new\n")
                self.assertEqual(path.read_text(encoding="utf-8"), document.split(begin)[0] + begin + "new\n" + end
                                 + document.split(end)[1])
                path.write_text(document.replace(begin, ""), encoding="utf-8")
                with self.assertRaisesRegex(SystemExit, f"^{path}: no place between {begin.strip()}"):
                    speed.replace(path, name, "new\n")


if __name__ == "__main__":
    unittest.main()
