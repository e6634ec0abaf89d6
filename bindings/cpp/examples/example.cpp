#include <cstdio>
#include <vector>
#include <sugar/sugar.hpp>
int main() {
    std::vector<float> x{-2, -0.5f, 0.5f, 2}, dy{1, 1, 1, 1}, y(4), dx(4);
    sugar::activation relu("relu~bsilu");
    relu.forward(x, y);             // y  = max(x, 0)
    relu.backward(x, dy, dx);       // dx = dy * bsilu'(x)
    for (std::size_t i = 0; i < 4; i++) std::printf("x %4.1f   y %.1f   dx %.4f\n", x[i], y[i], dx[i]);
}
