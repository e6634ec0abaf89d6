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
	Strides []int // of any sign, 0 for inputs; nil: compact, row-major
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

// layout is a tensor without its elements.
type layout struct {
	shape, strides []int
	offset, length int // length of the slice
}

// checkBounds makes sure that every element lies in the slice.
func (l layout) checkBounds(name string) error {
	elements, err := size(name, l.shape)
	if err != nil {
		return err
	}
	if l.strides != nil && len(l.strides) != len(l.shape) {
		return argumentError("%s: %d strides, expected %d as in its shape", name, len(l.strides), len(l.shape))
	}
	if elements == 0 {
		return nil
	}
	if l.offset < 0 || l.offset > l.length {
		return l.outside(name)
	}
	// How far elements may still go before the offset and behind it; compared first, so that nothing overflows.
	before, behind := l.offset, l.length-1-l.offset
	if l.strides == nil {
		behind -= elements - 1
	}
	for i, stride := range l.strides {
		steps := l.shape[i] - 1
		room := &behind
		if stride < 0 {
			room, stride = &before, -stride
		}
		if steps > 0 && (stride < 0 || (stride > 0 && steps > l.length/stride)) {
			return l.outside(name)
		}
		*room -= steps * stride
		if *room < 0 {
			return l.outside(name)
		}
	}
	if behind < 0 {
		return l.outside(name)
	}
	return nil
}

func (l layout) outside(name string) error {
	return argumentError("%s: shape %v, strides %v and offset %d reach beyond its slice of %d elements", name, l.shape,
		l.strides, l.offset, l.length)
}
