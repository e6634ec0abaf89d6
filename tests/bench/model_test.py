"""Tests of model.py's search for inner loops.

    python3 model_test.py
"""
import unittest

import model

# relu's loop with a rare formula, which is a branch, and a store past the caches.
X86 = """
   10:\tvmovups (%rsi),%ymm1
   14:\tvmovmskps %ymm1,%eax
   18:\ttest   %eax,%eax
   1a:\tjne    40 <relu_forward+0x40>
   1c:\tvmaxps 0x0(%rip),%ymm1,%ymm0        # 24 <relu_forward+0x24>
   24:\tvmovaps %ymm0,-0x50(%rbp)
   28:\ttest   %r8d,%r8d
   2b:\tjne    60 <relu_forward+0x60>
   2d:\tvmovups %ymm0,(%rdx)
   31:\tadd    $0x20,%rsi
   35:\tjne    8 <relu_forward+0x8>
   37:\tret
   8:\tnopl   0x0(%rax)
   40:\tvmulps %ymm1,%ymm1,%ymm1
   44:\tvmulps %ymm1,%ymm1,%ymm1
   48:\tjmp    1c <relu_forward+0x1c>
   60:\tvmovntps %ymm0,(%rdx)
   64:\tjmp    31 <relu_forward+0x31>
"""
ARM = """
   0:\tldr\tq0, [x1, x2]
   4:\tfmax\tv0.4s, v0.4s, v1.4s
   8:\tstr\tq0, [sp, #16]
   c:\tstr\tq0, [x3, x2]
  10:\tadd\tx2, x2, #0x10
  14:\tcmp\tx2, x4
  18:\tb.ne\t0 <relu_forward>  // b.any
  1c:\tret
"""


class Loops(unittest.TestCase):
    def test_the_usual_way(self):
        loop = model.shortest_loop(X86)
        self.assertEqual(loop[0], "vmovups %ymm0,(%rdx)")
        self.assertIn("vmaxps 0x0(%rip),%ymm1,%ymm0", loop)
        self.assertEqual(len(loop), 11)
        self.assertFalse([text for text in loop if "vmul" in text or "vmovnt" in text])
        self.assertEqual(sum(map(model.stored, loop)), 32)

    def test_aarch64(self):
        loop = model.shortest_loop(ARM)
        self.assertEqual(loop[-1], "str q0, [sp, #16]")
        self.assertEqual(len(loop), 7)
        self.assertEqual(sum(map(model.stored, loop)), 16)

    def test_no_loop(self):
        self.assertIsNone(model.shortest_loop(X86.replace("jne    8 ", "jne    37 ")))


if __name__ == "__main__":
    unittest.main()
