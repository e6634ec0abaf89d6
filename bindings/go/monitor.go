package libsugar

import (
	"runtime"
	"unsafe"

	"libsugar.example/libsugar/lowlevel"
)

// Monitor counts what the units of one layer see. While a call feeds one, no other may use it.
type Monitor struct {
	handle *lowlevel.Monitor
}

// MonitorOptions are choices at creation; those of zeros are the defaults.
type MonitorOptions struct {
	AxisFromEnd      int     // the dimension of x on which the units lie: 0 is the last one
	Bins             int     // of the histogram; 0: lowlevel.MonitorBins
	Threshold        float64 // a sample is active above it
	Minimum, Maximum float64 // of the histogram; both 0: -8 and 8
	Every            int64   // one call in so many is observed, beginning with the first; 0 and 1: every call
}

// MonitorSummary is what all units have seen.
type MonitorSummary struct {
	Units, Samples, Active, NotFinite, Dead int64
	Sparsity, Mean, Deviation               float64
	AxisFromEnd, Bins                       int
	Every, Calls, Observed                  int64
}

// MonitorUnit is what one unit has seen.
type MonitorUnit struct {
	Samples, Active, NotFinite         int64
	Sum, SumOfSquares, Mean, Deviation float64
}

// NewMonitor makes a monitor of as many units as x has in the dimension; options nil: the last dimension, threshold 0.
func NewMonitor(units int, options *MonitorOptions) (*Monitor, error) {
	if options == nil {
		options = &MonitorOptions{}
	}
	c := lowlevel.MonitorOptions{StructSize: unsafe.Sizeof(lowlevel.MonitorOptions{}),
		AxisFromEnd: int32(options.AxisFromEnd), Bins: int32(options.Bins),
		Threshold: options.Threshold, Minimum: options.Minimum, Maximum: options.Maximum, Every: options.Every}
	if int(c.AxisFromEnd) != options.AxisFromEnd {
		return nil, argumentError("AxisFromEnd: %d, expected 0, the last one, to %d", options.AxisFromEnd,
			lowlevel.MaxDimensions-1)
	}
	if int(c.Bins) != options.Bins {
		return nil, argumentError("Bins: %d, expected 0 or %d", options.Bins, lowlevel.MonitorBins)
	}
	return newMonitor(func(handle **lowlevel.Monitor) Status {
		return lowlevel.MonitorCreate(handle, int64(units), &c)
	})
}

func newMonitor(create func(handle **lowlevel.Monitor) Status) (*Monitor, error) {
	monitor := new(Monitor)
	if err := check(func() Status { return create(&monitor.handle) }); err != nil {
		return nil, err
	}
	runtime.SetFinalizer(monitor, (*Monitor).Close)
	return monitor, nil
}

// Close frees the monitor. A second Close does nothing, nor does one of nil.
func (monitor *Monitor) Close() error {
	if monitor == nil {
		return nil
	}
	lowlevel.MonitorDestroy(monitor.handle)
	monitor.handle = nil
	runtime.SetFinalizer(monitor, nil)
	return nil
}

// Reset forgets all that was counted.
func (monitor *Monitor) Reset() error {
	defer runtime.KeepAlive(monitor)
	return check(func() Status { return lowlevel.MonitorReset(monitor.handle) })
}

// Merge adds what another monitor counted.
func (monitor *Monitor) Merge(from *Monitor) error {
	defer runtime.KeepAlive(monitor)
	defer runtime.KeepAlive(from)
	if from == nil {
		return argumentError("from: nil, expected a monitor")
	}
	return check(func() Status { return lowlevel.MonitorMerge(monitor.handle, from.handle) })
}

// Summary is what all units have seen.
func (monitor *Monitor) Summary() (MonitorSummary, error) {
	defer runtime.KeepAlive(monitor)
	c := lowlevel.MonitorSummary{StructSize: unsafe.Sizeof(lowlevel.MonitorSummary{})}
	err := check(func() Status { return lowlevel.MonitorGet(monitor.handle, &c) })
	return MonitorSummary{c.Units, c.Samples, c.Active, c.NotFinite, c.Dead, c.Sparsity, c.Mean, c.Deviation,
		int(c.AxisFromEnd), int(c.Bins), c.Every, c.Calls, c.Observed}, err
}

// Unit is what one unit has seen.
func (monitor *Monitor) Unit(index int) (MonitorUnit, error) {
	defer runtime.KeepAlive(monitor)
	c := lowlevel.MonitorUnit{StructSize: unsafe.Sizeof(lowlevel.MonitorUnit{})}
	err := check(func() Status { return lowlevel.MonitorGetUnit(monitor.handle, int64(index), &c) })
	return MonitorUnit{c.Samples, c.Active, c.NotFinite, c.Sum, c.SumOfSquares, c.Mean, c.Deviation}, err
}

// FindDead gives the units that were active for at most the share `rate` of their samples.
func (monitor *Monitor) FindDead(rate float64) ([]int64, error) {
	defer runtime.KeepAlive(monitor)
	var count int64
	err := check(func() Status { return lowlevel.MonitorFindDead(monitor.handle, rate, nil, 0, &count) })
	if err != nil || count == 0 {
		return nil, err
	}
	units := make([]int64, count)
	err = check(func() Status { return lowlevel.MonitorFindDead(monitor.handle, rate, &units[0], count, &count) })
	return units, err
}

// Histogram of all samples: counts[i] lie from edges[i-1] to below edges[i].
func (monitor *Monitor) Histogram() (counts []int64, edges []float64, err error) {
	defer runtime.KeepAlive(monitor)
	summary, err := monitor.Summary()
	if err != nil {
		return nil, nil, err
	}
	counts, edges = make([]int64, summary.Bins), make([]float64, summary.Bins-1)
	err = check(func() Status {
		return lowlevel.MonitorGetHistogram(monitor.handle, &counts[0], &edges[0], int32(summary.Bins))
	})
	return counts, edges, err
}

// MarshalBinary gives all that the monitor holds, in a form that does not depend on the machine.
func (monitor *Monitor) MarshalBinary() ([]byte, error) {
	defer runtime.KeepAlive(monitor)
	bytes := make([]byte, lowlevel.MonitorSaveSize(monitor.handle)+1)
	err := check(func() Status {
		return lowlevel.MonitorSave(monitor.handle, unsafe.Pointer(&bytes[0]), uintptr(len(bytes)))
	})
	return bytes[:len(bytes)-1], err
}

// UnmarshalBinary makes the monitor the one that MarshalBinary was called on.
func (monitor *Monitor) UnmarshalBinary(bytes []byte) error {
	memory := append(append([]byte(nil), bytes...), 0)
	made, err := newMonitor(func(handle **lowlevel.Monitor) Status {
		return lowlevel.MonitorRestore(handle, unsafe.Pointer(&memory[0]), uintptr(len(bytes)))
	})
	if err != nil {
		return err
	}
	monitor.handle, made.handle = made.handle, monitor.handle
	runtime.SetFinalizer(monitor, (*Monitor).Close)
	return made.Close()
}
