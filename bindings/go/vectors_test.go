package libsugar

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"libsugar.example/libsugar/lowlevel"
)

// The shared vectors, ../vectors/README.md.
type vector struct {
	Name, Call, Type  string
	Spec, Level       *string
	Table             []string
	Flags             uint64
	N                 int64
	Memories          []block
	X, Y, Dy, Dx      *operand
	V, Ddy            *operand
	Parameter         *operand
	ParameterGradient *operand `json:"parameter_gradient"`
	SavedGradient     *operand `json:"saved_gradient"`
	Bias, Gate        *operand
	BiasGradient      *operand `json:"bias_gradient"`
	GateGradient      *operand `json:"gate_gradient"`
	Random            []string
	Monitor           *monitorCase
	Status            int32
	Message           string
	Created           *struct{ Spec, Minimum, Maximum string }
}

type block struct {
	Type, Before string
	After        *string
}

type operand struct {
	Memory     *int
	Data       uintptr
	Device     int32
	Dtype      [3]uint16
	Shape      []int64
	Strides    []int64
	ByteOffset uint64 `json:"byte_offset"`
	Step       int64
}

type monitorCase struct {
	Units                       int64
	AxisFromEnd                 int32 `json:"axis_from_end"`
	Bins                        int32
	Every                       int64
	Threshold, Minimum, Maximum string
	Seen                        seen
}

type seen struct {
	Summary []any
	Units   [][]any
	Counts  []int64
	Edges   []string
	Dead    []int64
}

var width = map[string]int{"f32": 4, "f64": 8, "f16": 2, "bf16": 2, "u8": 1}
var infinity = map[string]uint64{"f32": 0x7f800000, "f64": 0x7ff << 52, "f16": 0x7c00, "bf16": 0x7f80,
	"u8": math.MaxUint64}

func readVectors(t *testing.T) []vector {
	text, err := os.ReadFile("../vectors/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Cases []vector
		Count int
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if all.Count == 0 || len(all.Cases) != all.Count {
		t.Fatalf("%d cases, expected %d", len(all.Cases), all.Count)
	}
	return all.Cases
}

// words are the elements of a memory, before or after.
func words(b block, text string) []uint64 {
	digits := 2 * width[b.Type]
	var all []uint64
	for ; len(text) >= digits; text = text[digits:] {
		word, err := strconv.ParseUint(text[:digits], 16, 64)
		if err != nil {
			panic(err)
		}
		all = append(all, word)
	}
	return all
}

func put(memory []byte, word uint64, bytes int) {
	var all [8]byte
	binary.LittleEndian.PutUint64(all[:], word)
	copy(memory[:bytes], all[:])
}

func get(memory []byte, bytes int) uint64 {
	var all [8]byte
	copy(all[:], memory[:bytes])
	return binary.LittleEndian.Uint64(all[:])
}

// compareMemory wants the same bits, or two NaNs.
func compareMemory(t *testing.T, name string, index int, b block, memory []byte) {
	after := b.Before
	if b.After != nil {
		after = *b.After
	}
	magnitude := uint64(1)<<(8*width[b.Type]-1) - 1
	for i, expected := range words(b, after) {
		got := get(memory[i*width[b.Type]:], width[b.Type])
		nan := got&magnitude > infinity[b.Type] && expected&magnitude > infinity[b.Type]
		if got != expected && !nan {
			t.Errorf("%s: memory %d[%d]: %x, expected %x", name, index, i, got, expected)
		}
	}
}

func double(t *testing.T, text string) float64 {
	bytes, err := hex.DecodeString(text)
	if err != nil || len(bytes) != 8 {
		t.Fatal(text, err)
	}
	return math.Float64frombits(binary.BigEndian.Uint64(bytes))
}

func bits(value float64) string {
	if math.IsNaN(value) {
		return "7ff8000000000000"
	}
	word := strconv.FormatUint(math.Float64bits(value), 16)
	return strings.Repeat("0", 16-len(word)) + word
}

func (v *vector) knots(t *testing.T) (knots []Knot) {
	for i := 0; i < len(v.Table); i += 3 {
		knots = append(knots, Knot{double(t, v.Table[i]), double(t, v.Table[i+1]), double(t, v.Table[i+2])})
	}
	return
}

// arena is memory of C's for one case: structs that lead to others may not be Go's.
type arena struct {
	all []unsafe.Pointer
}

func (a *arena) get(bytes int) unsafe.Pointer {
	memory := lowlevel.Allocate(uintptr(bytes))
	a.all = append(a.all, memory)
	return memory
}

func (a *arena) free() {
	for _, memory := range a.all {
		lowlevel.Free(memory)
	}
}

func (a *arena) extents(values []int64) *int64 {
	if values == nil {
		return nil
	}
	memory := (*int64)(a.get(8 * len(values)))
	copy(unsafe.Slice(memory, len(values)), values)
	return memory
}

type replay struct {
	arena
	*vector
	memories   [][]byte
	activation *lowlevel.Activation
	monitor    *lowlevel.Monitor
}

func (r *replay) address(o *operand) unsafe.Pointer {
	if o == nil || o.Memory == nil {
		return nil
	}
	return unsafe.Add(unsafe.Pointer(&r.memories[*o.Memory][0]), o.Data)
}

func (r *replay) tensor(o *operand) *lowlevel.Tensor {
	if o == nil {
		return nil
	}
	tensor := (*lowlevel.Tensor)(r.get(int(unsafe.Sizeof(lowlevel.Tensor{}))))
	*tensor = lowlevel.Tensor{Data: r.address(o), Device: lowlevel.Device{DeviceType: o.Device}, Ndim: int32(len(o.Shape)),
		Dtype: lowlevel.DataType{Code: uint8(o.Dtype[0]), Bits: uint8(o.Dtype[1]), Lanes: o.Dtype[2]},
		Shape: r.extents(o.Shape), Strides: r.extents(o.Strides), ByteOffset: o.ByteOffset}
	return tensor
}

func (r *replay) options() *lowlevel.CallOptions {
	options := (*lowlevel.CallOptions)(r.get(int(unsafe.Sizeof(lowlevel.CallOptions{}))))
	*options = lowlevel.CallOptions{StructSize: unsafe.Sizeof(*options), Flags: r.Flags, Parameter: r.tensor(r.Parameter),
		ParameterGradient: r.tensor(r.ParameterGradient), SavedGradient: r.tensor(r.SavedGradient), Bias: r.tensor(r.Bias),
		BiasGradient: r.tensor(r.BiasGradient), Gate: r.tensor(r.Gate), GateGradient: r.tensor(r.GateGradient)}
	if r.Random != nil {
		options.Random = (*lowlevel.Random)(r.get(int(unsafe.Sizeof(lowlevel.Random{}))))
		seed, _ := strconv.ParseUint(r.Random[0], 16, 64)
		offset, _ := strconv.ParseUint(r.Random[1], 16, 64)
		*options.Random = lowlevel.Random{StructSize: unsafe.Sizeof(lowlevel.Random{}), Seed: seed, Offset: offset}
	}
	if r.Call != "observe" {
		options.Monitor = r.monitor
	}
	return options
}

func step(o *operand) int64 {
	if o == nil {
		return 0
	}
	return o.Step
}

func forwardVector[T any](r *replay, call func(*lowlevel.Activation, int64, *T, int64, *T, int64,
	*lowlevel.CallOptions) Status) Status {
	return call(r.activation, r.N, (*T)(r.address(r.X)), step(r.X), (*T)(r.address(r.Y)), step(r.Y), r.options())
}

func backwardVector[T any](r *replay, call func(*lowlevel.Activation, int64, *T, int64, *T, int64, *T, int64,
	*lowlevel.CallOptions) Status) Status {
	return call(r.activation, r.N, (*T)(r.address(r.X)), step(r.X), (*T)(r.address(r.Dy)), step(r.Dy),
		(*T)(r.address(r.Dx)), step(r.Dx), r.options())
}

func (r *replay) call(t *testing.T) Status {
	switch r.Call {
	case "forward":
		return lowlevel.Forward(r.activation, r.tensor(r.X), r.tensor(r.Y), r.options())
	case "backward":
		return lowlevel.Backward(r.activation, r.tensor(r.X), r.tensor(r.Dy), r.tensor(r.Dx), r.options())
	case "backward_twice":
		return lowlevel.BackwardTwice(r.activation, r.tensor(r.X), r.tensor(r.Dy), r.tensor(r.V), r.tensor(r.Ddy),
			r.tensor(r.Dx), r.options())
	case "observe":
		return lowlevel.MonitorObserve(r.monitor, r.tensor(r.X), r.options())
	case "forward_f32":
		return forwardVector(r, lowlevel.ForwardF32)
	case "forward_f64":
		return forwardVector(r, lowlevel.ForwardF64)
	case "forward_f16":
		return forwardVector(r, lowlevel.ForwardF16)
	case "forward_bf16":
		return forwardVector(r, lowlevel.ForwardBF16)
	case "backward_f32":
		return backwardVector(r, lowlevel.BackwardF32)
	case "backward_f64":
		return backwardVector(r, lowlevel.BackwardF64)
	case "backward_f16":
		return backwardVector(r, lowlevel.BackwardF16)
	case "backward_bf16":
		return backwardVector(r, lowlevel.BackwardBF16)
	}
	t.Fatal("an unknown call: ", r.Call)
	return 0
}

func (r *replay) make(t *testing.T) Status {
	for _, b := range r.Memories {
		size := len(b.Before) / 2
		memory := unsafe.Slice((*byte)(r.get(size)), size+1)
		for i, word := range words(b, b.Before) {
			put(memory[i*width[b.Type]:], word, width[b.Type])
		}
		r.memories = append(r.memories, memory)
	}
	if m := r.Monitor; m != nil {
		options := lowlevel.MonitorOptions{StructSize: unsafe.Sizeof(lowlevel.MonitorOptions{}),
			AxisFromEnd: m.AxisFromEnd, Bins: m.Bins, Threshold: double(t, m.Threshold),
			Minimum: double(t, m.Minimum), Maximum: double(t, m.Maximum), Every: m.Every}
		var monitor *lowlevel.Monitor // alone: cgo checks all that a variable lies in
		if lowlevel.MonitorCreate(&monitor, m.Units, &options) != lowlevel.OK {
			t.Fatal(lowlevel.String(lowlevel.LastError()))
		}
		r.monitor = monitor
	}
	if r.Spec == nil {
		return lowlevel.OK
	}
	options := lowlevel.ActivationOptions{StructSize: unsafe.Sizeof(lowlevel.ActivationOptions{})}
	if r.Level != nil {
		options.Level = lowlevel.NewString(*r.Level)
		defer lowlevel.Free(unsafe.Pointer(options.Level))
	}
	if knots := r.knots(t); knots != nil {
		options.Table, options.TableKnots = (*float64)(r.get(24*len(knots))), uintptr(len(knots))
		copy(unsafe.Slice((*Knot)(unsafe.Pointer(options.Table)), len(knots)), knots)
	}
	spec := append([]byte(*r.Spec), 0)
	var activation *lowlevel.Activation
	status := lowlevel.ActivationCreateWithOptions(&activation, &spec[0], uintptr(len(*r.Spec)), &options)
	r.activation = activation
	return status
}

// All vectors through the C functions.
func TestVectors(t *testing.T) {
	runtime.LockOSThread() // messages are kept for each thread
	defer runtime.UnlockOSThread()
	for _, v := range readVectors(t) {
		v := v
		r := &replay{vector: &v}
		status := r.make(t)
		if status == lowlevel.OK && v.Call != "create" {
			status = r.call(t)
		}
		message := ""
		if status != lowlevel.OK {
			message = lowlevel.String(lowlevel.LastError())
		}
		if int32(status) != v.Status || message != v.Message {
			t.Errorf("%s: %v '%s', expected %d '%s'", v.Name, status, message, v.Status, v.Message)
		}
		for i, b := range v.Memories {
			compareMemory(t, v.Name, i, b, r.memories[i])
		}
		if v.Created != nil {
			made := Activation{r.activation}
			info, err := made.Info()
			minimum, maximum := bits(info.GradientMinimum), bits(info.GradientMaximum)
			if err != nil || info.Spec != v.Created.Spec || minimum != v.Created.Minimum || maximum != v.Created.Maximum {
				t.Errorf("%s: %v, %s, %s to %s; expected %+v", v.Name, err, info.Spec, minimum, maximum, *v.Created)
			}
		}
		if v.Monitor != nil {
			compareMonitor(t, v.Name, &Monitor{r.monitor}, v.Monitor.Seen)
		}
		lowlevel.ActivationDestroy(r.activation)
		lowlevel.MonitorDestroy(r.monitor)
		r.free()
	}
}

// flat is a struct's members as JSON has them: numbers, and doubles as their bits.
func flat(value any) []any {
	var all []any
	members := reflect.ValueOf(value)
	for i := 0; i < members.NumField(); i++ {
		switch member := members.Field(i).Interface().(type) {
		case int64:
			all = append(all, float64(member))
		case int:
			all = append(all, float64(member))
		case float64:
			all = append(all, bits(member))
		}
	}
	return all
}

func compareMonitor(t *testing.T, name string, monitor *Monitor, expected seen) {
	var got seen
	summary, _ := monitor.Summary()
	got.Summary = flat(summary)
	for i := 0; i < int(summary.Units); i++ {
		unit, _ := monitor.Unit(i)
		got.Units = append(got.Units, flat(unit))
	}
	counts, edges, err := monitor.Histogram()
	got.Counts = counts
	for _, edge := range edges {
		got.Edges = append(got.Edges, bits(edge))
	}
	got.Dead, _ = monitor.FindDead(0.25)
	if got.Dead == nil {
		got.Dead = []int64{}
	}
	if err != nil || !reflect.DeepEqual(got, expected) {
		t.Errorf("%s: the monitor saw %+v, expected %+v", name, got, expected)
	}
}

// view makes of an operand a tensor over a slice of Go's; false if none of this package's tensors can be like it.
func view[T Element | uint8](o *operand, memories []any) (*Tensor[T], bool) {
	if o == nil {
		return nil, true
	}
	if o.Device != lowlevel.DeviceCPU || o.Dtype[2] != 1 {
		return nil, false
	}
	data, ok := []T(nil), isEmpty(o)
	if o.Memory != nil {
		data, ok = memories[*o.Memory].([]T)
	}
	size := int(unsafe.Sizeof(*new(T)))
	dtype := dataType[T]()
	same := o.Dtype[0] == uint16(dtype.code) && o.Dtype[1] == uint16(dtype.bits)
	if offset := int(o.Data) + int(o.ByteOffset); ok && same && (offset%size == 0 || isEmpty(o)) {
		tensor := &Tensor[T]{Data: data, Offset: offset / size}
		for _, extent := range o.Shape {
			tensor.Shape = append(tensor.Shape, int(extent))
		}
		if o.Strides != nil {
			tensor.Strides = []int{}
		}
		for _, stride := range o.Strides {
			tensor.Strides = append(tensor.Strides, int(stride))
		}
		return tensor, true
	}
	return nil, false
}

// typed makes of an operand a tensor of T, or of float32 beside it.
func typed[T Element](o *operand, memories []any) (Operand, bool) {
	if tensor, ok := view[T](o, memories); ok {
		return tensor, true
	}
	return view[float32](o, memories)
}

// isEmpty says whether an operand has no elements, so that it may lie anywhere.
func isEmpty(o *operand) bool {
	return len(o.Shape) > 0 && o.Shape[0] == 0
}

// slices are the memories of a case as slices of Go's.
func slices(v *vector) (memories []any, raw [][]byte) {
	for _, b := range v.Memories {
		all := words(b, b.Before)
		switch b.Type {
		case "f32":
			memories, raw = slice[float32](memories, raw, all)
		case "f64":
			memories, raw = slice[float64](memories, raw, all)
		case "f16":
			memories, raw = slice[Float16](memories, raw, all)
		case "bf16":
			memories, raw = slice[BFloat16](memories, raw, all)
		case "u8":
			memories, raw = slice[uint8](memories, raw, all)
		}
	}
	return
}

func slice[T any](memories []any, raw [][]byte, all []uint64) ([]any, [][]byte) {
	size := int(unsafe.Sizeof(*new(T)))
	data := make([]T, len(all)+1)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), size*len(data))
	for i, word := range all {
		put(bytes[size*i:], word, size)
	}
	return append(memories, data[:len(all)]), append(raw, bytes)
}

// replayTensors replays a case over slices; false if it cannot be written that way.
func replayTensors[T Element](t *testing.T, v *vector) bool {
	memories, raw := slices(v)
	options := &Options[T]{
		Accumulate: v.Flags&lowlevel.CallAccumulate != 0,
		FromOutput: v.Flags&lowlevel.CallFromOutput != 0,
	}
	known := uint64(lowlevel.CallAccumulate | lowlevel.CallFromOutput | lowlevel.CallNontemporal | lowlevel.CallTemporal)
	both := uint64(lowlevel.CallNontemporal | lowlevel.CallTemporal)
	if v.Spec == nil || v.Flags&^known != 0 || v.Flags&both == both {
		return false
	}
	if v.Flags&lowlevel.CallNontemporal != 0 {
		options.Nontemporal = NontemporalAlways
	} else if v.Flags&lowlevel.CallTemporal != 0 {
		options.Nontemporal = NontemporalNever
	}
	x, okX := view[T](v.X, memories)
	out, okOut := view[T](v.Y, memories)
	dy, okDy := view[T](v.Dy, memories)
	if v.Call != "forward" {
		out, okOut = view[T](v.Dx, memories)
	}
	second, okV := view[T](v.V, memories)
	ddy, okDdy := view[T](v.Ddy, memories)
	var okP, okG, okB, okBG, okGate, okGG bool
	options.Parameter, okP = typed[T](v.Parameter, memories)
	options.ParameterGradient, okG = typed[T](v.ParameterGradient, memories)
	options.Bias, okB = typed[T](v.Bias, memories)
	options.BiasGradient, okBG = typed[T](v.BiasGradient, memories)
	options.Gate, okGate = view[T](v.Gate, memories)
	options.GateGradient, okGG = view[T](v.GateGradient, memories)
	if v.SavedGradient != nil && v.SavedGradient.Dtype[1] == 1 && isEmpty(v.SavedGradient) {
		options.SavedBits = []byte{}
	} else if v.SavedGradient != nil && v.SavedGradient.Dtype[1] == 1 && v.SavedGradient.Memory != nil {
		data, ok := memories[*v.SavedGradient.Memory].([]uint8)
		options.SavedBits = data[v.SavedGradient.Data:]
		okP = okP && ok && v.SavedGradient.Strides == nil && v.SavedGradient.ByteOffset == 0
	} else {
		var ok bool
		options.SavedGradient, ok = view[uint8](v.SavedGradient, memories)
		okP = okP && ok
	}
	if v.Random != nil {
		seed, _ := strconv.ParseUint(v.Random[0], 16, 64)
		offset, _ := strconv.ParseUint(v.Random[1], 16, 64)
		options.Random = &Random{seed, offset}
	}
	okAll := okX && okOut && okDy && okV && okDdy && okP && okG && okB && okBG && okGate && okGG
	if !okAll || (out == nil && v.Call != "backward_twice") {
		return false
	}
	if m := v.Monitor; m != nil {
		monitor, err := NewMonitor(int(m.Units), &MonitorOptions{AxisFromEnd: int(m.AxisFromEnd), Bins: int(m.Bins),
			Threshold: double(t, m.Threshold), Minimum: double(t, m.Minimum), Maximum: double(t, m.Maximum),
			Every: m.Every})
		if err != nil {
			t.Fatal(v.Name, err)
		}
		defer monitor.Close()
		options.Monitor = monitor
	}
	level := ""
	if v.Level != nil {
		level = *v.Level
	}
	activation, err := NewActivationWith(*v.Spec, &ActivationOptions{Level: level, Table: v.knots(t)})
	if err != nil {
		t.Fatal(v.Name, err)
	}
	defer activation.Close()
	switch {
	case v.Call == "forward" && x != nil:
		err = Forward(activation, *x, *out, options)
	case v.Call == "backward_twice":
		err = BackwardTwice(activation, *x, *dy, *second, ddy, out, options)
	case v.Call == "backward" && dy != nil && x == nil:
		err = BackwardSaved(activation, *dy, *out, options)
	case v.Call == "backward" && dy != nil:
		err = Backward(activation, *x, *dy, *out, options)
	default:
		return false
	}
	if failure, ok := err.(*Error); (err == nil) != (v.Status == 0) || (ok && int32(failure.Status) != v.Status) {
		t.Errorf("%s: %v, expected %d '%s'", v.Name, err, v.Status, v.Message)
	}
	for i, b := range v.Memories {
		compareMemory(t, v.Name, i, b, raw[i])
	}
	if v.Monitor != nil {
		compareMonitor(t, v.Name, options.Monitor, v.Monitor.Seen)
	}
	return true
}

// The calls on tensors once more, over slices of Go's.
func TestVectorsOverSlices(t *testing.T) {
	replayed, calls, wanted := 0, 0, 0
	for _, v := range readVectors(t) {
		v := v
		if v.Call != "forward" && v.Call != "backward" && v.Call != "backward_twice" {
			continue
		}
		calls++
		if v.Status == 0 {
			wanted++
		}
		replay := map[string]func(*testing.T, *vector) bool{"f32": replayTensors[float32], "f64": replayTensors[float64],
			"f16": replayTensors[Float16], "bf16": replayTensors[BFloat16]}[v.Type]
		if replay(t, &v) {
			replayed++
		} else if v.Status == 0 {
			t.Errorf("%s: cannot be replayed over slices", v.Name)
		}
	}
	t.Logf("%d of %d calls on tensors; %d of them succeed", replayed, calls, wanted)
}
