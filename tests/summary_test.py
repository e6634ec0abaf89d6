"""Tests of summary.py on small made-up logs.

    python3 summary_test.py
"""
import json
import unittest

import summary

TESTS = json.dumps([
    {"name": "unit-specs", "suite": ["libsugar:unit"]},
    {"name": "unit-threads", "suite": ["libsugar:unit"]},
    {"name": "lint", "suite": ["libsugar:lint"]},
])


def entry(name, result="OK", stdout=None, duration=1.25):
    return json.dumps({"name": name, "result": result, "stdout": stdout, "duration": duration})


def summarize(*entries, status=0, chosen=("unit", "lint")):
    """The lines of the suites and what follows them, and whether all went well."""
    lines, good = summary.summarize(summary.read_suites(TESTS), summary.read_log("\n".join(entries)), status, chosen)
    assert lines[:2] == ["==== summary", ""]
    return lines[2:], good


class SummaryTest(unittest.TestCase):
    def check(self, found, good, *expected):
        self.assertEqual(found, (list(expected), good))

    def test_all_passed(self):
        found = summarize(entry("libsugar:unit / unit-specs"), entry("libsugar:unit / unit-threads", duration=3),
                          entry("lint"))
        self.check(found, True, "unit             4 s  passed", "lint             1 s  passed", "",
                   "2 passed, 0 failed")

    def test_names_what_failed(self):
        for result in ("FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"):
            found = summarize(entry("unit-specs"), entry("libsugar:unit / unit-threads", result), entry("lint"))
            self.check(found, False, "unit             2 s  FAILED (unit-threads)", "lint             1 s  passed", "",
                       "1 passed, 1 failed")

    def test_what_did_not_run_failed(self):
        self.check(summarize(entry("unit-specs"), entry("lint")), False,
                   "unit             1 s  FAILED (unit-threads: did not run)", "lint             1 s  passed", "",
                   "1 passed, 1 failed")

    def test_a_skipped_part_is_no_pass(self):
        found = summarize(entry("unit-specs", stdout="a\n  skipped: AVX2: not here\nb\nskipped: more\n"),
                          entry("unit-threads"), entry("lint", stdout="not skipped: fine\n"))
        self.check(found, True, "unit             2 s  skipped (AVX2: not here; more)",
                   "lint             1 s  passed", "", "1 passed, 0 failed, 1 skipped")

    def test_nothing_ran(self):
        found = summarize(entry("unit-specs", "SKIP"), entry("unit-threads", "SKIP"), entry("lint"))
        self.check(found, True, "unit             2 s  skipped (no test ran)", "lint             1 s  passed", "",
                   "1 passed, 0 failed, 1 skipped")

    def test_failure_goes_before_skipped(self):
        found = summarize(entry("unit-specs", "SKIP", "skipped: AVX2\n"), entry("unit-threads", "FAIL"),
                          chosen=["unit"])
        self.check(found, False, "unit             2 s  FAILED (unit-threads)", "", "0 passed, 1 failed")

    def test_status_of_meson(self):
        self.check(summarize(entry("lint"), status=2, chosen=["lint"]), False, "lint             1 s  passed",
                   "meson test failed with exit status 2", "", "1 passed, 0 failed")

    def test_no_log(self):
        self.check(summarize(status=1, chosen=["lint"]), False, "lint             0 s  FAILED (lint: did not run)", "",
                   "0 passed, 1 failed")


if __name__ == "__main__":
    unittest.main()
