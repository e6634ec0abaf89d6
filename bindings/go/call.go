package libsugar

/*
#cgo pkg-config: libsugar
#include <stdlib.h>
#include <string.h>
#include <sugar/sugar.h>

enum { FORWARD, BACKWARD, BACKWARD_TWICE, OBSERVE };
enum {
	X, DY, V, DDY, OUT,
	PARAMETER, PARAMETER_GRADIENT, BIAS, BIAS_GRADIENT, GATE, GATE_GRADIENT, SAVED_GRADIENT,
	OPERANDS
};

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
// the shape and, if it has them, the strides of each operand that is present, in the order of the operands' numbers.
static sugar_status run(struct call *call, const int64_t *extents, unsigned char *x, unsigned char *dy,
                        unsigned char *v, unsigned char *ddy, unsigned char *out, unsigned char *parameter,
                        unsigned char *parameter_gradient, unsigned char *bias, unsigned char *bias_gradient,
                        unsigned char *gate, unsigned char *gate_gradient, unsigned char *saved_gradient)
{
	unsigned char *data[OPERANDS] = {x, dy, v, ddy, out, parameter, parameter_gradient, bias, bias_gradient, gate,
	                                 gate_gradient, saved_gradient};
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
	options.bias = given[BIAS];
	options.bias_gradient = given[BIAS_GRADIENT];
	options.gate = given[GATE];
	options.gate_gradient = given[GATE_GRADIENT];
	sugar_status status =
		call->function == FORWARD ? sugar_forward(call->activation, given[X], given[OUT], &options) :
		call->function == BACKWARD ? sugar_backward(call->activation, given[X], given[DY], given[OUT], &options) :
		call->function == BACKWARD_TWICE ? sugar_backward_twice(call->activation, given[X], given[DY], given[V],
		                                                        given[DDY], given[OUT], &options) :
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

// Operand is a *Tensor of any element type. Parameters, biases and their gradients have the type of x, or float32
// beside Float16 and BFloat16.
type Operand interface {
	set(call *call, index int, name string) error
}

// set describes the tensor; nil is none.
func (tensor *Tensor[T]) set(call *call, index int, name string) error {
	if tensor == nil {
		return nil
	}
	return setTensor(call, index, name, *tensor)
}

// Options of a call; nil stands for none. What they mean in full is at lowlevel.CallOptions.
type Options[T Element] struct {
	Context     *Context // threads; nil: the calling one
	Nontemporal Nontemporal
	Monitor     *Monitor // forward: counts x in passing
	Accumulate  bool     // backward: dx = dx + dy g'(x)
	FromOutput  bool     // backward: x is the output of the forward pass

	Parameter         Operand        // a learnable parameter: the extents of x, or 1 where it does not vary
	ParameterGradient Operand        // backward: its gradient, summed where its extent is 1
	Bias              Operand        // added to x: f(x + bias); its extents are as those of a parameter
	BiasGradient      Operand        // backward: its gradient, summed where its extent is 1
	Gate              *Tensor[T]     // what f(x) is multiplied by, in the shape of x
	GateGradient      *Tensor[T]     // backward: its gradient, dy f(x)
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
	return call.run()
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
	return call.run()
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
	return call.run()
}

// BackwardTwice is the backward pass of Backward itself. From v, the gradient that reaches its dx, it computes
// ddy = v g'(x), the one that goes on to its dy, and dx, the one that goes on to its x: v dy times the derivative of
// g'. One of them may be nil; each may be the same view as x, dy or v.
func BackwardTwice[T Element](activation *Activation, x, dy, v Tensor[T], ddy, dx *Tensor[T],
	options *Options[T]) error {
	call := newCall(C.BACKWARD_TWICE, activation)
	defer call.free()
	for _, operand := range [...]struct {
		tensor *Tensor[T]
		index  int
		name   string
	}{{&x, C.X, "x"}, {&dy, C.DY, "dy"}, {&v, C.V, "v"}, {ddy, C.DDY, "ddy"}, {dx, C.OUT, "dx"}} {
		if err := operand.tensor.set(call, operand.index, operand.name); err != nil {
			return err
		}
	}
	if options != nil {
		if err := setOperands(call, x.Shape, options); err != nil {
			return err
		}
	}
	return call.run()
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
	return call.run()
}

// call is what is handed to C, and what must not be collected before it returns.
type call struct {
	c          C.struct_call
	data       [C.OPERANDS]*C.uchar
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
	call.data = [C.OPERANDS]*C.uchar{}
	calls.Put(call)
}

// run hands Go's memory over as arguments, which stays where it is until C returns.
func (call *call) run() error {
	extents, data := call.extents[:cap(call.extents)], &call.data
	status := C.run(&call.c, (*C.int64_t)(unsafe.Pointer(&extents[0])), data[C.X], data[C.DY], data[C.V], data[C.DDY],
		data[C.OUT], data[C.PARAMETER], data[C.PARAMETER_GRADIENT], data[C.BIAS], data[C.BIAS_GRADIENT],
		data[C.GATE], data[C.GATE_GRADIENT], data[C.SAVED_GRADIENT])
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

// setOutput describes the output, the last of the arguments, and the options.
func setOutput[T Element](call *call, name string, out Tensor[T], options *Options[T]) error {
	if err := setTensor(call, C.OUT, name, out); err != nil || options == nil {
		return err
	}
	return setOperands(call, out.Shape, options)
}

// setOperands describes the options of a call on tensors of a shape.
func setOperands[T Element](call *call, shape []int, options *Options[T]) error {
	for _, option := range [...]struct {
		operand Operand
		index   int
		name    string
	}{
		{options.Parameter, C.PARAMETER, "parameter"},
		{options.ParameterGradient, C.PARAMETER_GRADIENT, "parameter_gradient"},
		{options.Bias, C.BIAS, "bias"}, {options.BiasGradient, C.BIAS_GRADIENT, "bias_gradient"},
		{options.Gate, C.GATE, "gate"}, {options.GateGradient, C.GATE_GRADIENT, "gate_gradient"},
		{options.SavedGradient, C.SAVED_GRADIENT, "saved_gradient"},
	} {
		if option.operand == nil {
			continue
		}
		if err := option.operand.set(call, option.index, option.name); err != nil {
			return err
		}
	}
	if options.SavedBits != nil {
		if err := setBits(call, shape, options); err != nil {
			return err
		}
	}
	return setOptions(call, options)
}

func setTensor[T Element | uint8](call *call, index int, name string, tensor Tensor[T]) error {
	call.data[index] = pointer(tensor.Data)
	elements := layout{tensor.Shape, tensor.Strides, tensor.Offset, len(tensor.Data)}
	return call.setLayout(index, name, dataType[T](), elements)
}

// setLayout describes an operand. Whoever describes several does so in the order of their numbers.
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
	call.data[C.SAVED_GRADIENT] = pointer(options.SavedBits)
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
