package libsugar

import (
	"errors"
	"fmt"
	"math"
	"math/rand"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"libsugar.example/libsugar/lowlevel"
)

func activation(t testing.TB, spec string) *Activation {
	made, err := NewActivation(spec)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails wants an error with the status, whose message has the words.
func fails(t *testing.T, err error, status Status, words string) {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) || failure.Status != status || !strings.Contains(failure.Message, words) {
		t.Errorf("%v, expected %v with '%s'", err, status, words)
	}
}

func TestLayouts(t *testing.T) {
	for _, item := range lowlevel.Layouts {
		if item.C != item.Go {
			t.Errorf("%s: %d, expected %d", item.Name, item.Go, item.C)
		}
	}
}

// Views of any stride against the formula.
func TestViews(t *testing.T) {
	source := rand.New(rand.NewSource(1))
	silu := activation(t, "silu")
	for round := 0; round < 300; round++ {
		x, positions := randomView(source)
		y := Tensor[float64]{Data: make([]float64, len(positions)+3), Shape: x.Shape, Offset: 3}
		for i := range x.Data {
			x.Data[i] = source.NormFloat64() * 4
		}
		ok(t, Forward(silu, x, y, nil))
		for i, position := range positions {
			value := x.Data[position]
			if expected := value / (1 + math.Exp(-value)); math.Abs(y.Data[3+i]-expected) > 1e-14 {
				t.Fatalf("%v of %+v: %v, expected %v", i, x, y.Data[3+i], expected)
			}
		}
	}
}

// randomView makes a view that fits its slice exactly, and the positions of its elements in order.
func randomView(source *rand.Rand) (Tensor[float64], []int) {
	var tensor Tensor[float64]
	positions := []int{0}
	for rank := source.Intn(5); len(tensor.Shape) < rank; {
		extent, stride := source.Intn(5), source.Intn(23)-11
		tensor.Shape = append(tensor.Shape, extent)
		tensor.Strides = append(tensor.Strides, stride)
		var next []int
		for _, position := range positions {
			for i := 0; i < extent; i++ {
				next = append(next, position+i*stride)
			}
		}
		positions = next
	}
	low, high := 0, -1
	for i, position := range positions {
		if i == 0 || position < low {
			low = position
		}
		if i == 0 || position > high {
			high = position
		}
	}
	tensor.Offset = -low
	tensor.Data = make([]float64, high-low+1)
	for i := range positions {
		positions[i] -= low
	}
	if len(tensor.Data) == 0 {
		tensor.Offset = 0
	}
	return tensor, positions
}

// A view that reaches one element too far is refused, at either end.
func TestBounds(t *testing.T) {
	source := rand.New(rand.NewSource(2))
	silu := activation(t, "silu")
	for round := 0; round < 300; round++ {
		x, positions := randomView(source)
		y := Array(make([]float64, len(positions)), x.Shape...)
		if len(positions) == 0 {
			continue
		}
		short := x
		short.Data = x.Data[:len(x.Data)-1]
		fails(t, Forward(silu, short, y, nil), ErrorArgument, "x: ")
		short = x
		short.Offset--
		fails(t, Forward(silu, short, y, nil), ErrorArgument, "reach beyond")
		y.Data = y.Data[1:]
		fails(t, Forward(silu, x, y, nil), ErrorArgument, "y: ")
	}
	data := make([]float64, 4)
	huge := math.MaxInt
	for _, x := range []Tensor[float64]{
		{Data: data, Shape: []int{2}, Strides: []int{huge}},
		{Data: data, Shape: []int{2}, Strides: []int{math.MinInt}},
		{Data: data, Shape: []int{huge}, Strides: []int{2}},
		{Data: data, Shape: []int{3, 3}, Strides: []int{1, 1}, Offset: 1},
		{Data: data, Shape: []int{2, 2}, Strides: []int{2, -2}},
		{Data: data, Shape: []int{5}},
		{Data: data, Shape: []int{1}, Offset: 4},
		{Data: data, Shape: []int{1}, Offset: huge},
		{Data: data, Shape: []int{1}, Offset: -1},
		{Data: data, Shape: []int{huge, huge}},
		{Data: data, Shape: []int{-1}},
		{Data: data, Shape: []int{2, 2}, Strides: []int{1}},
		{Data: nil, Shape: nil},
	} {
		if err := Forward(silu, x, x, nil); err == nil {
			t.Errorf("%+v was accepted", x)
		}
	}
	ok(t, Forward(silu, Vector(data[:0]), Vector(data[:0]), nil))
	ok(t, Forward(silu, Vector[float64](nil), Vector[float64](nil), nil))
	ok(t, Forward(silu, Tensor[float64]{Data: data, Offset: 3}, Tensor[float64]{Data: data}, nil))
}

// The gradient of a parameter is set to 0 where x is empty and it is not.
func TestGradientOverNothing(t *testing.T) {
	prelu := activation(t, "prelu")
	memory := []float32{7, 7, 7, 7, 7, 7, 7, 7}
	run := func(offset int, shape, strides []int) error {
		gradient := Tensor[float32]{Data: memory, Shape: shape, Strides: strides, Offset: offset}
		x := Tensor[float32]{Shape: []int{0, 3}}
		return Backward(prelu, x, x, x, &Options[float32]{ParameterGradient: &gradient})
	}
	fails(t, run(6, []int{1, 3}, nil), ErrorArgument, "parameter_gradient: ")
	fails(t, run(0, []int{1, 3}, []int{0, 0}), ErrorOverlap, "stride 0 in dimension 1")
	for _, good := range []struct {
		offset         int
		shape, strides []int
		expected       [8]float32
	}{
		{9, []int{0, 3}, []int{0, 0}, [8]float32{7, 7, 7, 7, 7, 7, 7, 7}},
		{1, []int{1, 3}, nil, [8]float32{7, 0, 0, 0, 7, 7, 7, 7}},
		{7, []int{1, 3}, []int{0, -1}, [8]float32{7, 0, 0, 0, 7, 0, 0, 0}},
		{4, []int{1, 1}, []int{5, 5}, [8]float32{7, 0, 0, 0, 0, 0, 0, 0}},
	} {
		ok(t, run(good.offset, good.shape, good.strides))
		if *(*[8]float32)(memory) != good.expected {
			t.Errorf("%+v: %v", good, memory)
		}
	}
}

// Every operand without elements, with strides and offsets that none with elements could have.
func TestNothing(t *testing.T) {
	relu, prelu, rrelu := activation(t, "relu"), activation(t, "prelu"), activation(t, "rrelu")
	monitor, err := NewMonitor(3, nil)
	ok(t, err)
	for _, length := range []int{0, 2} {
		for _, strides := range [][]int{nil, {0, 0}, {math.MinInt, math.MaxInt}} {
			for _, offset := range []int{0, 2, -1, math.MaxInt} {
				x := Tensor[float64]{Data: make([]float64, length), Shape: []int{0, 3}, Strides: strides, Offset: offset}
				y, gradient := x, x
				codes := Tensor[uint8]{Data: make([]uint8, length), Shape: x.Shape, Strides: strides, Offset: offset}
				options := &Options[float64]{Parameter: &x}
				ok(t, Forward(relu, x, y, &Options[float64]{Monitor: monitor}))
				ok(t, Observe(monitor, x, nil))
				ok(t, Forward(prelu, x, y, options))
				options.ParameterGradient = &gradient
				ok(t, Backward(prelu, x, x, y, options))
				ok(t, Forward(rrelu, x, y, &Options[float64]{Random: &Random{1, 2}}))
				for _, options := range []*Options[float64]{{SavedGradient: &codes}, {SavedBits: codes.Data}} {
					ok(t, Forward(relu, x, y, options))
					ok(t, BackwardSaved(relu, x, y, options))
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	_, err := NewActivation("rellu")
	fails(t, err, ErrorSpec, "did you mean 'relu'")
	if err.Error()[:10] != "libsugar: " || err.(*Error).Status.String() != "SUGAR_ERROR_SPEC" {
		t.Error(err)
	}
	_, err = NewActivationAt("relu", "avx9")
	fails(t, err, ErrorUnsupported, "avx9")
	_, err = NewActivationAt("relu", "scalar\x00x")
	fails(t, err, ErrorArgument, "NUL")
	_, err = NewActivation("relu\x00")
	fails(t, err, ErrorSpec, "NUL")
	_, err = NewContext(-1)
	fails(t, err, ErrorArgument, "threads")
	_, err = NewContext(math.MaxInt)
	fails(t, err, ErrorArgument, "threads")
	_, err = NewMonitor(0, nil)
	fails(t, err, ErrorArgument, "units")
	relu := activation(t, "relu")
	a := make([]float32, 10)
	fails(t, Forward(relu, Vector(a[:3]), Vector(a[3:7]), nil), ErrorArgument, "shape")
	fails(t, Forward(relu, Vector(a[:3]), Vector(a[1:4]), nil), ErrorOverlap, "overlap")
	fails(t, Forward(nil, Vector(a), Vector(a), nil), ErrorArgument, "activation")
	bits := &Options[float32]{SavedBits: make([]byte, 1)}
	fails(t, Forward(relu, Vector(a), Vector(a), bits), ErrorArgument, "SavedBits")
	fails(t, Forward(relu, Vector(a), Vector(a), &Options[float32]{Context: &Context{}}), ErrorArgument, "Context")
	fails(t, Forward(relu, Vector(a), Vector(a), &Options[float32]{Monitor: &Monitor{}}), ErrorArgument, "Monitor")
	fails(t, Observe(nil, Vector(a), nil), ErrorArgument, "monitor")
	ok(t, relu.Close())
	ok(t, relu.Close())
	ok(t, (*Activation)(nil).Close())
	ok(t, (*Context)(nil).Close())
	ok(t, (*Monitor)(nil).Close())
	fails(t, Forward(relu, Vector(a), Vector(a), nil), ErrorArgument, "activation")
	if relu.Spec() != "" || relu.Level() != "" {
		t.Error("a closed activation has a spec or a level")
	}
}

func TestThreads(t *testing.T) {
	counts := []int{}
	for _, threads := range []int{0, 0, 1, 3} {
		context, err := NewContext(threads)
		ok(t, err)
		counts = append(counts, context.Threads())
		ok(t, context.Close())
		counts = append(counts, context.Threads())
	}
	if counts[0] < 1 || fmt.Sprint(counts[2:]) != fmt.Sprint([]int{counts[0], 1, 1, 1, 3, 1}) {
		t.Errorf("threads of 0, 0, 1 and 3, each before and after Close: %v", counts)
	}
	if (*Context)(nil).Threads() != 1 {
		t.Error("without a context there is not one thread")
	}
}

func TestOptions(t *testing.T) {
	sigmoid := activation(t, "sigmoid")
	context, err := NewContext(3)
	ok(t, err)
	defer context.Close()
	n := 200000
	x, y, z, dx := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(i%601)/100 - 3
	}
	ok(t, Forward(sigmoid, Vector(x), Vector(y), nil))
	for _, nontemporal := range []Nontemporal{NontemporalLarge, NontemporalAlways, NontemporalNever} {
		ok(t, Forward(sigmoid, Vector(x), Vector(z), &Options[float32]{Context: context, Nontemporal: nontemporal}))
		for i := range z {
			if y[i] != z[i] {
				t.Fatalf("nontemporal %v: [%d] %v, expected %v", nontemporal, i, z[i], y[i])
			}
		}
	}
	one := Tensor[float32]{Data: []float32{1}, Shape: []int{n}, Strides: []int{0}}
	ok(t, Backward(sigmoid, Vector(x), one, Vector(dx), nil))
	ok(t, Backward(sigmoid, Vector(x), one, Vector(dx), &Options[float32]{Accumulate: true}))
	ok(t, Backward(sigmoid, Vector(y), one, Vector(z), &Options[float32]{FromOutput: true}))
	for i := range z {
		if math.Abs(float64(2*z[i]-dx[i])) > 1e-6 {
			t.Fatalf("[%d] %v, expected %v", i, dx[i], 2*z[i])
		}
	}
}

func TestBiasAndGate(t *testing.T) {
	relu := activation(t, "relu")
	x, gate, dy := Vector([]float32{-1, 1, 2}), Vector([]float32{2, 3, 4}), Vector([]float32{1, 10, 100})
	bias, sum := Vector([]float32{0.5}), Vector([]float32{7})
	y, product, saved := Vector(make([]float32, 3)), Vector(make([]float32, 3)), []byte{0}
	ok(t, Forward(relu, x, y, &Options[float32]{Bias: &bias, Gate: &gate}))
	same(t, y.Data, 0, 4.5, 10)
	ok(t, Backward(relu, x, dy, y, &Options[float32]{Bias: &bias, BiasGradient: &sum, Gate: &gate,
		GateGradient: &product}))
	same(t, y.Data, 0, 30, 400)
	same(t, product.Data, 0, 15, 250)
	same(t, sum.Data, 430)
	ok(t, Forward(relu, x, y, &Options[float32]{Bias: &bias, SavedBits: saved}))
	if saved[0] != 6 {
		t.Errorf("saved %b, expected 110", saved[0])
	}
	half := Vector([]Float16{0xbc00, 0x3c00, 0})
	ok(t, Forward(relu, half, half, &Options[Float16]{Bias: &bias}))
	if half.Data[0] != 0 || half.Data[1] != 0x3e00 || half.Data[2] != 0x3800 {
		t.Errorf("%x, expected 0, 3e00, 3800", half.Data)
	}
	fails(t, Forward(relu, x, y, &Options[float32]{Gate: &bias}), ErrorArgument, "gate: shape (1,), expected (3,) like x")
	wide := Vector([]float64{0.5})
	fails(t, Forward(relu, x, y, &Options[float32]{Bias: &wide}), ErrorArgument, "bias: dtype float64")
	outside := Tensor[float32]{Data: bias.Data, Shape: []int{3}}
	fails(t, Forward(relu, x, y, &Options[float32]{Gate: &outside}), ErrorArgument, "gate: shape [3]")
}

func TestBackwardTwice(t *testing.T) {
	square := activation(t, "square")
	x, dy, v := Vector([]float32{-1, 1, 2}), Vector([]float32{1, 10, 100}), Vector([]float32{1, 2, 3})
	ddy, dx := Vector(make([]float32, 3)), Vector(make([]float32, 3))
	ok(t, BackwardTwice(square, x, dy, v, &ddy, &dx, nil))
	same(t, ddy.Data, -2, 4, 12)
	same(t, dx.Data, 2, 40, 600)
	ok(t, BackwardTwice(square, x, dy, v, nil, &dx, &Options[float32]{Accumulate: true}))
	same(t, dx.Data, 4, 80, 1200)
	ok(t, BackwardTwice(square, x, dy, ddy, &ddy, nil, nil))
	same(t, ddy.Data, 4, 8, 48)
	fails(t, BackwardTwice(square, x, dy, v, nil, nil, nil), ErrorArgument, "ddy: NULL, and dx NULL")
	fails(t, BackwardTwice(square, x, Vector(dy.Data[1:]), v, &ddy, &dx, nil), ErrorArgument, "dy: shape (2,)")
}

func TestTable(t *testing.T) {
	table := []Knot{{0, 0, 0}, {1, 1, 0}}
	step, err := NewActivationWith("table", &ActivationOptions{Table: table})
	ok(t, err)
	x := []float32{-1, 0.5, 3}
	ok(t, Forward(step, Vector(x), Vector(x), nil))
	same(t, x, 0, 0.5, 1)
	again, err := NewActivationWith(step.Spec(), &ActivationOptions{Level: "scalar", Table: table})
	ok(t, err)
	if again.Spec() != step.Spec() || again.Level() != "scalar" {
		t.Error(again.Spec(), again.Level())
	}
	_, err = NewActivation("table")
	fails(t, err, ErrorArgument, "table: NULL")
	_, err = NewActivationWith("relu", &ActivationOptions{Table: table})
	fails(t, err, ErrorArgument, "table")
}

func same(t *testing.T, found []float32, expected ...float32) {
	t.Helper()
	if !reflect.DeepEqual(found, expected) {
		t.Errorf("%v, expected %v", found, expected)
	}
}

func TestMonitor(t *testing.T) {
	relu := activation(t, "relu")
	monitor, err := NewMonitor(2, &MonitorOptions{AxisFromEnd: 1})
	ok(t, err)
	x := []Float16{0x3c00, 0x3c00, 0xbc00, 0xbc00} // 1, 1, -1, -1
	ok(t, Forward(relu, Array(x, 2, 2), Array(make([]Float16, 4), 2, 2), &Options[Float16]{Monitor: monitor}))
	ok(t, Observe(monitor, Array(x, 2, 2), nil))
	bytes, err := monitor.MarshalBinary()
	ok(t, err)
	var copied Monitor
	ok(t, copied.UnmarshalBinary(bytes))
	ok(t, copied.Merge(monitor))
	fails(t, copied.Merge(nil), ErrorArgument, "from")
	fails(t, copied.Merge(&Monitor{}), ErrorArgument, "from")
	summary, err := copied.Summary()
	ok(t, err)
	dead, err := copied.FindDead(0)
	ok(t, err)
	if summary.AxisFromEnd != 1 || summary.Bins != lowlevel.MonitorBins {
		t.Errorf("%+v", summary)
	}
	if summary.Samples != 16 || summary.Dead != 1 || len(dead) != 1 || dead[0] != 1 {
		t.Errorf("%+v, dead %v", summary, dead)
	}
	fails(t, copied.UnmarshalBinary(bytes[:9]), ErrorData, "")
	_, err = NewMonitor(2, &MonitorOptions{AxisFromEnd: -1})
	fails(t, err, ErrorArgument, "axis_from_end -1, expected 0, the last one, to 63")
	_, err = NewMonitor(2, &MonitorOptions{AxisFromEnd: 1 << 32})
	fails(t, err, ErrorArgument, "AxisFromEnd: 4294967296, expected 0, the last one, to 63")
	_, err = NewMonitor(2, &MonitorOptions{Bins: 33})
	fails(t, err, ErrorUnsupported, "bins 33, expected 0 or 32")
	_, err = NewMonitor(2, &MonitorOptions{Bins: 1 << 32})
	fails(t, err, ErrorArgument, "Bins: 4294967296, expected 0 or 32")
	_, err = copied.Unit(2)
	fails(t, err, ErrorArgument, "index")
	ok(t, copied.Reset())
	if summary, _ = copied.Summary(); summary.Samples != 0 {
		t.Errorf("%+v after Reset", summary)
	}
}

func TestCatalogue(t *testing.T) {
	kinds, err := Kinds()
	ok(t, err)
	found := 0
	for _, kind := range kinds {
		if kind.Name == "relu" && kind.Forward {
			found++
		}
		if kind.Name == "bsilu" && kind.Surrogate && len(kind.Parameters) == 1 && kind.Parameters[0].Name == "alpha" {
			found++
		}
	}
	levels, err := Levels()
	ok(t, err)
	if found != 2 || len(levels) == 0 || levels[0].Name != "scalar" || !levels[0].Supported {
		t.Errorf("%d found; %+v", found, levels)
	}
	if Version() != lowlevel.VersionMajor*10000+lowlevel.VersionMinor*100+lowlevel.VersionPatch {
		t.Error(Version())
	}
}

// Many goroutines with one activation and one context, each with errors of its own.
func TestGoroutines(t *testing.T) {
	gelu := activation(t, "gelu")
	context, err := NewContext(2)
	ok(t, err)
	defer context.Close()
	x := make([]float64, 5000)
	for i := range x {
		x[i] = float64(i)/1000 - 2.5
	}
	expected := make([]float64, len(x))
	ok(t, Forward(gelu, Vector(x), Vector(expected), nil))
	var group sync.WaitGroup
	for g := 0; g < 8; g++ {
		group.Add(1)
		go func(g int) {
			defer group.Done()
			y := make([]float64, len(x))
			for round := 0; round < 20; round++ {
				if err := Forward(gelu, Vector(x), Vector(y), &Options[float64]{Context: context}); err != nil {
					t.Error(err)
				}
				for i := range y {
					if y[i] != expected[i] {
						t.Errorf("[%d] %v, expected %v", i, y[i], expected[i])
						return
					}
				}
				err := Forward(gelu, Vector(x[:g+1]), Vector(y[:g+2]), nil)
				fails(t, err, ErrorArgument, "("+strconv.Itoa(g+2)+",)")
				_, err = NewActivation("goroutine" + strconv.Itoa(g))
				fails(t, err, ErrorSpec, "goroutine"+strconv.Itoa(g))
			}
		}(g)
	}
	group.Wait()
}

// A goroutine may go on with another thread after any call; its error is still its own.
func TestMessages(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(16))
	var group sync.WaitGroup
	for g := 0; g < 64; g++ {
		group.Add(1)
		go func(g int) {
			defer group.Done()
			for round := 0; round < 500 && !t.Failed(); round++ {
				_, err := NewActivation("goroutine" + strconv.Itoa(g))
				fails(t, err, ErrorSpec, "goroutine"+strconv.Itoa(g)+"'")
			}
		}(g)
	}
	group.Wait()
}

// What nobody closes is freed with the garbage: 100 monitors of more than 60 MiB each do not stay.
func TestFinalizers(t *testing.T) {
	before := resident(t)
	for i := 0; i < 100; i++ {
		monitor, err := NewMonitor(1<<20, nil)
		ok(t, err)
		ok(t, monitor.Reset())
		activation(t, "relu")
		runtime.GC()
	}
	if grown := resident(t) - before; grown > 1<<30 {
		t.Errorf("%d MiB more than before", grown>>20)
	}
}

func resident(t *testing.T) int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	ok(t, err)
	return pages * os.Getpagesize()
}

func BenchmarkForward16(b *testing.B) {
	relu := activation(b, "relu")
	x, y := make([]float32, 16), make([]float32, 16)
	tensorX, tensorY := Vector(x), Vector(y)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		ok(b, Forward(relu, tensorX, tensorY, nil))
	}
}

func BenchmarkLowlevelForwardF32(b *testing.B) {
	relu := activation(b, "relu")
	x, y := make([]float32, 16), make([]float32, 16)
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		if lowlevel.ForwardF32(relu.handle, 16, &x[0], 1, &y[0], 1, nil) != lowlevel.OK {
			b.Fatal("failed")
		}
	}
}
