package libsugar_test

import (
	"fmt"

	"libsugar.example/libsugar"
)

func Example() {
	x := []float32{-2, -1, -0.5, 0, 1, 2}
	y, dx := make([]float32, 6), make([]float32, 3)
	relu, err := libsugar.NewActivation("relu~bsilu(alpha=1.67)")
	if err != nil {
		panic(err)
	}
	libsugar.Forward(relu, libsugar.Vector(x), libsugar.Vector(y), nil)
	backwards := libsugar.Tensor[float32]{Data: x, Shape: []int{3}, Strides: []int{-1}, Offset: 2}
	libsugar.Backward(relu, backwards, libsugar.Vector(x[3:]), libsugar.Vector(dx), nil)
	fmt.Println(relu.Spec(), y)
	fmt.Printf("%.3f\n", dx)
	// Output:
	// relu~bsilu(alpha=1.67) [0 0 0 0 1 2]
	// [0.000 0.401 0.169]
}
