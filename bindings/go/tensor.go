package libsugar

import "math"

// Float16 is the bits of an IEEE 754 binary16.
type Float16 uint16

// BFloat16 is the upper 16 bits of a float32.
type BFloat16 uint16

// Element is what functions are applied to.
type Element interface {
	float32 | float64 | Float16 | BFloat16
}

// Tensor says how elements lie in a slice: the one with the indices i, j, ... is
// Data[Offset + i*Strides[0] + j*Strides[1] + ...].
type Tensor[T Element | uint8] struct {
	Data    []T
	Shape   []int // extents; none: one element
	Strides []int // of any sign, 0 for inputs only; nil: compact, row-major
	Offset  int
}

// Vector is a slice as a tensor of one dimension.
func Vector[T Element | uint8](data []T) Tensor[T] {
	return Tensor[T]{Data: data, Shape: []int{len(data)}}
}

// Array is a slice as a compact, row-major tensor.
func Array[T Element | uint8](data []T, shape ...int) Tensor[T] {
	return Tensor[T]{Data: data, Shape: shape}
}

// size is the number of elements; an extent below 0, or a number that is no int, is an error.
func size(name string, shape []int) (int, error) {
	product := 1
	empty := false
	for _, extent := range shape {
		if extent < 0 {
			return 0, argumentError("%s: shape %v has a negative extent", name, shape)
		}
		empty = empty || extent == 0
	}
	if empty {
		return 0, nil
	}
	for _, extent := range shape {
		if product > math.MaxInt/extent {
			return 0, argumentError("%s: shape %v has too many elements", name, shape)
		}
		product *= extent
	}
	return product, nil
}

// checkBounds makes sure that every element of the tensor lies in its slice.
func (tensor *Tensor[T]) checkBounds(name string) error {
	elements, err := size(name, tensor.Shape)
	if err != nil {
		return err
	}
	if tensor.Strides != nil && len(tensor.Strides) != len(tensor.Shape) {
		return argumentError("%s: %d strides, expected %d as in its shape", name, len(tensor.Strides), len(tensor.Shape))
	}
	if tensor.Offset < 0 || tensor.Offset > len(tensor.Data) {
		return tensor.outside(name)
	}
	if elements == 0 {
		return nil
	}
	// How far elements go before the offset and behind it; never more than the slice is long, so nothing overflows.
	before, behind := tensor.Offset, len(tensor.Data)-1-tensor.Offset
	if tensor.Strides == nil {
		behind -= elements - 1
	} else {
		for i, stride := range tensor.Strides {
			steps := tensor.Shape[i] - 1
			room := &behind
			if stride < 0 {
				room, stride = &before, -stride
			}
			if steps > 0 && (stride < 0 || (stride > 0 && steps > len(tensor.Data)/stride)) {
				return tensor.outside(name)
			}
			if *room -= steps * stride; *room < 0 {
				return tensor.outside(name)
			}
		}
	}
	if before < 0 || behind < 0 {
		return tensor.outside(name)
	}
	return nil
}

func (tensor *Tensor[T]) outside(name string) error {
	return argumentError("%s: shape %v, strides %v and offset %d reach beyond its slice of %d elements", name,
		tensor.Shape, tensor.Strides, tensor.Offset, len(tensor.Data))
}
