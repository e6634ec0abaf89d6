// Package libsugar is libsugar for Go: activation functions with surrogate gradients, in one pass over memory.
//
//	relu, err := libsugar.NewActivation("relu~bsilu(alpha=1.67)")
//	err = libsugar.Forward(relu, libsugar.Vector(x), libsugar.Vector(y), nil)                         // y = f(x)
//	err = libsugar.Backward(relu, libsugar.Vector(x), libsugar.Vector(dy), libsugar.Vector(dx), nil)  // dx = dy g'(x)
//
// Slices are passed as they are, never copied, through a Tensor that says how their elements lie; what a Tensor
// says is checked against its slice before every call. Elements are float32, float64, Float16 or BFloat16.
//
// An Activation, a Context and a Monitor belong to the library: Close frees one, and so does the garbage
// collector. Package lowlevel has all functions of the library under their own names, with their documentation.
package libsugar

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"libsugar.example/libsugar/lowlevel"
)

// Status says what kind of error an Error is.
type Status = lowlevel.Status

// The kinds of errors.
const (
	ErrorArgument    = lowlevel.ErrorArgument    // an argument is out of its documented range
	ErrorSpec        = lowlevel.ErrorSpec        // a spec does not parse
	ErrorUnsupported = lowlevel.ErrorUnsupported // not available here
	ErrorOutOfMemory = lowlevel.ErrorOutOfMemory // no memory for a handle, or no threads for a context
	ErrorOverlap     = lowlevel.ErrorOverlap     // an output shares memory with another operand, or with itself
	ErrorValue       = lowlevel.ErrorValue       // a number in memory is out of its range
	ErrorData        = lowlevel.ErrorData        // bytes that are no saved form, or a damaged one
)

// Error is what every failing call returns; errors.As finds it.
type Error struct {
	Status  Status
	Message string // the library's: the argument, what was found and what was expected
}

func (err *Error) Error() string {
	return "libsugar: " + err.Message
}

// argumentError is an error of this package's own checks.
func argumentError(format string, values ...any) error {
	return &Error{ErrorArgument, fmt.Sprintf(format, values...)}
}

// check turns a status into an error. The message is the thread's, so the goroutine stays on it.
func check(call func() Status) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if status := call(); status != lowlevel.OK {
		return &Error{status, lowlevel.String(lowlevel.LastError())}
	}
	return nil
}

// Version is the version of the library in use: major * 10000 + minor * 100 + patch.
func Version() int {
	return int(lowlevel.Version())
}

// Activation is a forward function and the derivative that the backward pass uses. It never changes: any number
// of goroutines may use one at the same time.
type Activation struct {
	handle *lowlevel.Activation
}

// NewActivation makes an activation from a spec such as "relu~bsilu(alpha=1.67)", with the best instruction set
// that the machine has (not above the one that the environment variable SUGAR_LEVEL names).
func NewActivation(spec string) (*Activation, error) {
	return NewActivationAt(spec, "")
}

// NewActivationAt makes an activation with the kernels of one instruction set, such as "scalar" or "avx2".
func NewActivationAt(spec, level string) (*Activation, error) {
	return NewActivationWith(spec, &ActivationOptions{Level: level})
}

// Knot is a row of a table: where a function is known, and its value and slope there.
type Knot struct {
	X, Value, Slope float64
}

// ActivationOptions are choices when an activation is made. What they mean in full is at lowlevel.ActivationOptions.
type ActivationOptions struct {
	Level string // the instruction set; "": the best
	Table []Knot // the function that the spec calls "table": a cubic Hermite spline. It is copied
}

// NewActivationWith makes an activation with what the options choose.
func NewActivationWith(spec string, chosen *ActivationOptions) (*Activation, error) {
	options := lowlevel.ActivationOptions{StructSize: unsafe.Sizeof(lowlevel.ActivationOptions{})}
	if strings.ContainsRune(chosen.Level, 0) {
		return nil, argumentError("level: %q, expected no NUL in it", chosen.Level)
	}
	if chosen.Level != "" {
		options.Level = lowlevel.NewString(chosen.Level)
		defer lowlevel.Free(unsafe.Pointer(options.Level))
	}
	if count := len(chosen.Table); count > 0 {
		table := lowlevel.Allocate(uintptr(count) * unsafe.Sizeof(Knot{})) // of C's: a struct leads to it
		defer lowlevel.Free(table)
		copy(unsafe.Slice((*Knot)(table), count), chosen.Table)
		options.Table, options.TableKnots = (*float64)(table), uintptr(count)
	}
	text := append([]byte(spec), 0)
	activation := new(Activation)
	err := check(func() Status {
		return lowlevel.ActivationCreateWithOptions(&activation.handle, &text[0], uintptr(len(spec)), &options)
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(activation, (*Activation).Close)
	return activation, nil
}

// Close frees the activation. No call may be using it. A second Close does nothing, nor does one of nil.
func (activation *Activation) Close() error {
	if activation == nil {
		return nil
	}
	lowlevel.ActivationDestroy(activation.handle)
	activation.handle = nil
	runtime.SetFinalizer(activation, nil)
	return nil
}

// Spec is the canonical spec, with all parameters; "" after Close.
func (activation *Activation) Spec() string {
	defer runtime.KeepAlive(activation)
	return lowlevel.String(lowlevel.ActivationSpec(activation.handle))
}

// Level is the name of the instruction set in use; "" after Close.
func (activation *Activation) Level() string {
	defer runtime.KeepAlive(activation)
	return lowlevel.String(lowlevel.ActivationLevel(activation.handle))
}

// Context is a pool of threads for calls. Any number of calls may use one.
type Context struct {
	handle *lowlevel.Context
}

// NewContext makes a pool; threads is how many may work on a call, the calling one counted. 0: as many as the process
// may use.
func NewContext(threads int) (*Context, error) {
	options := lowlevel.ContextOptions{StructSize: unsafe.Sizeof(lowlevel.ContextOptions{}), Threads: int32(threads)}
	if int(options.Threads) != threads {
		return nil, argumentError("threads: %d, expected at most %d", threads, lowlevel.MaxThreads)
	}
	context := new(Context)
	if err := check(func() Status { return lowlevel.ContextCreate(&context.handle, &options) }); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(context, (*Context).Close)
	return context, nil
}

// Threads is how many work on a call, the calling one counted; 1 without a context, or with one that is closed.
func (context *Context) Threads() int {
	if context == nil {
		return 1
	}
	defer runtime.KeepAlive(context)
	return int(lowlevel.ContextThreads(context.handle))
}

// Close ends the threads. No call may be using them. A second Close does nothing, nor does one of nil.
func (context *Context) Close() error {
	if context == nil {
		return nil
	}
	lowlevel.ContextDestroy(context.handle)
	context.handle = nil
	runtime.SetFinalizer(context, nil)
	return nil
}
