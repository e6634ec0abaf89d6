package libsugar

/*
#cgo pkg-config: libsugar
#include <stdlib.h>
#include <string.h>
#include <sugar/sugar.h>

enum { FORWARD, BACKWARD, OBSERVE };
enum { X, DY, OUT, PARAMETER, PARAMETER_GRADIENT, SAVED_GRADIENT, OPERANDS };

// A tensor without its pointers.
struct operand {
	int32_t present, strided, ndim;
	sugar_data_type dtype;
	uint64_t byte_offset;
};

// A call without a pointer to Go's memory.
struct call {
	int32_t function;
	int32_t draws;
	sugar_activation *activation;
	sugar_monitor *observer;
	sugar_call_options options;
	sugar_random random;
	struct operand operands[OPERANDS];
	char *message;
};

// Go's memory may be handed to C as an argument, not in a struct: so tensors are put together here. `extents` holds
// the shape and, if it has them, the strides of each operand that is present, one after the other.
static sugar_status run(struct call *call, const int64_t *extents, unsigned char *x, unsigned char *dy,
                        unsigned char *out, unsigned char *parameter, unsigned char *parameter_gradient,
                        unsigned char *saved_gradient)
{
	unsigned char *data[OPERANDS] = {x, dy, out, parameter, parameter_gradient, saved_gradient};
	sugar_tensor tensors[OPERANDS], *given[OPERANDS] = {NULL};
	for (int i = 0; i < OPERANDS; i++) {
		const struct operand *operand = &call->operands[i];
		if (!operand->present)
			continue;
		tensors[i] = (sugar_tensor){data[i], {SUGAR_DEVICE_CPU, 0}, operand->ndim, operand->dtype, extents,
		                            operand->strided ? extents + operand->ndim : NULL, operand->byte_offset};
		extents += operand->strided ? 2 * operand->ndim : operand->ndim;
		given[i] = &tensors[i];
	}
	sugar_call_options options = call->options;
	sugar_random random = call->random;
	options.struct_size = sizeof options;
	random.struct_size = sizeof random;
	options.random = call->draws ? &random : NULL;
	options.parameter = given[PARAMETER];
	options.parameter_gradient = given[PARAMETER_GRADIENT];
	options.saved_gradient = given[SAVED_GRADIENT];
	sugar_status status =
		call->function == FORWARD ? sugar_forward(call->activation, given[X], given[OUT], &options) :
		call->function == BACKWARD ? sugar_backward(call->activation, given[X], given[DY], given[OUT], &options) :
		sugar_monitor_observe(call->observer, given[X], &options);
	// The message is this thread's; the goroutine may go on with another one.
	call->message = status ? strdup(sugar_last_error()) : NULL;
	return status;
}
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

// Nontemporal says whether an output is stored past the caches. It never changes a result.
type Nontemporal int

const (
	NontemporalLarge  Nontemporal = iota // outputs larger than the last-level cache
	NontemporalAlways                    // whatever the size
	NontemporalNever
)

// Random draws slopes for a forward function rrelu: the same ones for the same seed and offset. A call on n
// elements uses (n + 3) / 4 offsets.
type Random struct {
	Seed, Offset uint64
}

// Options of a call; nil stands for none. What they mean in full is at lowlevel.CallOptions.
type Options[T Element] struct {
	Context     *Context // threads; nil: the calling one
	Nontemporal Nontemporal
	Monitor     *Monitor // forward: counts x in passing
	Accumulate  bool     // backward: dx = dx + dy g'(x)
	FromOutput  bool     // backward: x is the output of the forward pass

	Parameter         *Tensor[T]     // a learnable parameter: the extents of x, or 1 where it does not vary
	ParameterGradient *Tensor[T]     // backward: its gradient, summed where its extent is 1
	SavedGradient     *Tensor[uint8] // the gradient in bytes, in the shape of x: written by forward, read by backward
	SavedBits         []byte         // the gradient in bits, of (n + 7) / 8 bytes: as SavedGradient
	Random            *Random
}

// Forward computes y = f(x), element by element. x and y may be the same view: in place.
func Forward[T Element](activation *Activation, x, y Tensor[T], options *Options[T]) error {
	call := newCall(C.FORWARD, activation)
	defer call.free()
	if err := setTensor(call, C.X, "x", x); err != nil {
		return err
	}
	if err := setOutput(call, "y", y, options); err != nil {
		return err
	}
	return call.run(pointer(x.Data), nil, pointer(y.Data), pointers(options))
}

// Backward computes dx = dy g'(x), element by element, where g' is the surrogate's derivative. dx may be the same
// view as x or dy.
func Backward[T Element](activation *Activation, x, dy, dx Tensor[T], options *Options[T]) error {
	call := newCall(C.BACKWARD, activation)
	defer call.free()
	if err := setTensor(call, C.X, "x", x); err != nil {
		return err
	}
	if err := setTensor(call, C.DY, "dy", dy); err != nil {
		return err
	}
	if err := setOutput(call, "dx", dx, options); err != nil {
		return err
	}
	return call.run(pointer(x.Data), pointer(dy.Data), pointer(dx.Data), pointers(options))
}

// BackwardSaved computes dx = dy g'(x) without x, from what a forward call left in options.SavedGradient or SavedBits.
func BackwardSaved[T Element](activation *Activation, dy, dx Tensor[T], options *Options[T]) error {
	call := newCall(C.BACKWARD, activation)
	defer call.free()
	if err := setTensor(call, C.DY, "dy", dy); err != nil {
		return err
	}
	if err := setOutput(call, "dx", dx, options); err != nil {
		return err
	}
	return call.run(nil, pointer(dy.Data), pointer(dx.Data), pointers(options))
}

// Observe counts the elements of x, as Forward with the monitor in its options does. context may be nil.
func Observe[T Element](monitor *Monitor, x Tensor[T], context *Context) error {
	call := newCall(C.OBSERVE, nil)
	defer call.free()
	defer runtime.KeepAlive(monitor)
	if monitor == nil || monitor.handle == nil {
		return argumentError("monitor: nil or closed, expected one from NewMonitor")
	}
	call.c.observer = (*C.sugar_monitor)(unsafe.Pointer(monitor.handle))
	if err := setTensor(call, C.X, "x", x); err != nil {
		return err
	}
	if err := setOptions(call, &Options[T]{Context: context}); err != nil {
		return err
	}
	return call.run(pointer(x.Data), nil, nil, extra{})
}

// call is what is handed to C, and what must not be collected before it returns.
type call struct {
	c          C.struct_call
	extents    []int64
	activation *Activation
	context    *Context
	monitor    *Monitor
}

var calls = sync.Pool{New: func() any { return &call{extents: make([]int64, 0, 64)} }}

func newCall(function C.int32_t, activation *Activation) *call {
	call := calls.Get().(*call)
	call.c = C.struct_call{function: function}
	call.extents = call.extents[:0]
	call.activation = activation
	if activation != nil {
		call.c.activation = (*C.sugar_activation)(unsafe.Pointer(activation.handle))
	}
	return call
}

func (call *call) free() {
	call.activation, call.context, call.monitor = nil, nil, nil
	calls.Put(call)
}

// extra is the memory of the tensors among the options.
type extra struct {
	parameter, parameterGradient, savedGradient *C.uchar
}

func pointers[T Element](options *Options[T]) (memory extra) {
	if options == nil {
		return
	}
	if options.Parameter != nil {
		memory.parameter = pointer(options.Parameter.Data)
	}
	if options.ParameterGradient != nil {
		memory.parameterGradient = pointer(options.ParameterGradient.Data)
	}
	if options.SavedGradient != nil {
		memory.savedGradient = pointer(options.SavedGradient.Data)
	} else {
		memory.savedGradient = pointer(options.SavedBits)
	}
	return
}

// run hands Go's memory over as arguments, which stays where it is until C returns.
func (call *call) run(x, dy, out *C.uchar, memory extra) error {
	extents := call.extents[:cap(call.extents)]
	status := C.run(&call.c, (*C.int64_t)(unsafe.Pointer(&extents[0])), x, dy, out, memory.parameter,
		memory.parameterGradient, memory.savedGradient)
	runtime.KeepAlive(call)
	if status == C.SUGAR_OK {
		return nil
	}
	defer C.free(unsafe.Pointer(call.c.message))
	return &Error{Status(status), C.GoString(call.c.message)}
}

// pointer leads to the first element of a slice. Its type has no pointers: there is nothing for cgo to check.
func pointer[T any](data []T) *C.uchar {
	if len(data) == 0 {
		return nil
	}
	return (*C.uchar)(unsafe.Pointer(&data[0]))
}

// setOutput describes the output, the last of the operands, and the options.
func setOutput[T Element](call *call, name string, out Tensor[T], options *Options[T]) error {
	if err := setTensor(call, C.OUT, name, out); err != nil || options == nil {
		return err
	}
	if options.Parameter != nil {
		if err := setTensor(call, C.PARAMETER, "parameter", *options.Parameter); err != nil {
			return err
		}
	}
	if options.ParameterGradient != nil {
		if err := setTensor(call, C.PARAMETER_GRADIENT, "parameter_gradient", *options.ParameterGradient); err != nil {
			return err
		}
	}
	if options.SavedGradient != nil {
		if err := setTensor(call, C.SAVED_GRADIENT, "saved_gradient", *options.SavedGradient); err != nil {
			return err
		}
	}
	if options.SavedBits != nil {
		if err := setBits(call, out.Shape, options); err != nil {
			return err
		}
	}
	return setOptions(call, options)
}

func setTensor[T Element | uint8](call *call, index int, name string, tensor Tensor[T]) error {
	elements := layout{tensor.Shape, tensor.Strides, tensor.Offset, len(tensor.Data)}
	return call.setLayout(index, name, dataType[T](), elements)
}

func (call *call) setLayout(index int, name string, dtype C.sugar_data_type, l layout) error {
	if err := l.checkBounds(name); err != nil {
		return err
	}
	operand := &call.c.operands[index]
	operand.present, operand.ndim, operand.dtype = 1, C.int32_t(len(l.shape)), dtype
	operand.byte_offset = C.uint64_t(l.offset * int(dtype.bits/8))
	call.appendExtents(l.shape)
	if l.strides != nil {
		operand.strided = 1
		call.appendExtents(l.strides)
	}
	return nil
}

func (call *call) appendExtents(extents []int) {
	for _, extent := range extents {
		call.extents = append(call.extents, int64(extent))
	}
}

// setBits describes SavedBits: one bit for each element of the output.
func setBits[T Element](call *call, shape []int, options *Options[T]) error {
	if options.SavedGradient != nil {
		return argumentError("SavedBits: stands beside SavedGradient, expected one of them")
	}
	elements, err := size("SavedBits", shape)
	if err != nil {
		return err
	}
	if needed := elements/8 + (elements%8+7)/8; len(options.SavedBits) < needed {
		return argumentError("SavedBits: %d bytes, expected at least %d", len(options.SavedBits), needed)
	}
	call.c.operands[C.SAVED_GRADIENT] = C.struct_operand{present: 1, ndim: C.int32_t(len(shape)),
		dtype: C.sugar_data_type{code: C.SUGAR_TYPE_UNSIGNED, bits: 1, lanes: 1}}
	call.appendExtents(shape)
	return nil
}

func setOptions[T Element](call *call, options *Options[T]) error {
	c := &call.c.options
	call.context, call.monitor = options.Context, options.Monitor
	if options.Context != nil {
		if options.Context.handle == nil {
			return argumentError("Context: closed, expected one from NewContext")
		}
		c.context = (*C.sugar_context)(unsafe.Pointer(options.Context.handle))
	}
	if options.Monitor != nil {
		if options.Monitor.handle == nil {
			return argumentError("Monitor: closed, expected one from NewMonitor")
		}
		c.monitor = (*C.sugar_monitor)(unsafe.Pointer(options.Monitor.handle))
	}
	if options.Random != nil {
		call.c.draws = 1
		call.c.random.seed = C.uint64_t(options.Random.Seed)
		call.c.random.offset = C.uint64_t(options.Random.Offset)
	}
	for _, flag := range [...]struct {
		wanted bool
		value  C.uint64_t
	}{
		{options.Accumulate, C.SUGAR_CALL_ACCUMULATE}, {options.FromOutput, C.SUGAR_CALL_FROM_OUTPUT},
		{options.Nontemporal == NontemporalAlways, C.SUGAR_CALL_NONTEMPORAL},
		{options.Nontemporal == NontemporalNever, C.SUGAR_CALL_TEMPORAL},
	} {
		if flag.wanted {
			c.flags |= flag.value
		}
	}
	return nil
}

func dataType[T Element | uint8]() C.sugar_data_type {
	var element T
	code := C.SUGAR_TYPE_FLOAT
	switch any(element).(type) {
	case uint8:
		code = C.SUGAR_TYPE_UNSIGNED
	case BFloat16:
		code = C.SUGAR_TYPE_BFLOAT
	}
	return C.sugar_data_type{code: C.uint8_t(code), bits: C.uint8_t(8 * unsafe.Sizeof(element)), lanes: 1}
}
