package libsugar

import (
	"runtime"
	"unsafe"

	"libsugar.example/libsugar/lowlevel"
)

// Kind is a function of the catalogue.
type Kind struct {
	Name, Alias  string // Alias: "" if there is none
	Value        string // the formula; "" if it is a surrogate only
	Derivative   string
	Source       string
	Forward      bool   // it may stand before the ~
	Surrogate    bool   // it may stand behind it
	Capabilities uint64 // lowlevel.Can...
	Parameters   []Parameter
}

// Parameter of a kind.
type Parameter struct {
	Name                      string
	Default, Minimum, Maximum float64
	Learnable                 bool   // it may be a tensor: CallOptions.Parameter
	NotAbove                  string // the parameter that its value may not exceed; "" if there is none
}

// Function is a kind, by its name, with the values of its parameters, by theirs.
type Function struct {
	Kind       string
	Parameters map[string]float64
}

// Info is what an activation is. lowlevel.ActivationInfo says what the members mean in full.
type Info struct {
	Spec, Level                      string
	Forward                          Function
	Surrogate                        *Function // nil if there is none
	NegativeDomain                   bool      // domain=negative
	Blend                            float64   // 0 without a surrogate
	UsesOwnDerivative                bool
	Capabilities                     uint64 // lowlevel.Can...: what calls accept
	GradientMinimum, GradientMaximum float64
}

// Level is an instruction set.
type Level struct {
	Name                       string
	Compiled, Supported, InUse bool
}

// Kinds gives the catalogue.
func Kinds() ([]Kind, error) {
	kinds := make([]Kind, lowlevel.KindCount())
	for i := range kinds {
		var err error
		if kinds[i], err = kindAt(int32(i)); err != nil {
			return nil, err
		}
	}
	return kinds, nil
}

func kindAt(index int32) (Kind, error) {
	c := lowlevel.Kind{StructSize: unsafe.Sizeof(lowlevel.Kind{})}
	if err := check(func() Status { return lowlevel.KindGet(index, &c) }); err != nil {
		return Kind{}, err
	}
	kind := Kind{Name: lowlevel.String(c.Name), Alias: lowlevel.String(c.Alias), Value: lowlevel.String(c.Value),
		Derivative: lowlevel.String(c.Derivative), Source: lowlevel.String(c.Source),
		Forward: c.Roles&lowlevel.RoleForward != 0, Surrogate: c.Roles&lowlevel.RoleSurrogate != 0,
		Capabilities: c.Capabilities, Parameters: make([]Parameter, c.ParameterCount)}
	notAbove := make([]int32, c.ParameterCount)
	for i := range kind.Parameters {
		p := lowlevel.Parameter{StructSize: unsafe.Sizeof(lowlevel.Parameter{})}
		if err := check(func() Status { return lowlevel.KindGetParameter(index, int32(i), &p) }); err != nil {
			return Kind{}, err
		}
		kind.Parameters[i] = Parameter{Name: lowlevel.String(p.Name), Default: p.DefaultValue, Minimum: p.Minimum,
			Maximum: p.Maximum, Learnable: p.Learnable != 0}
		notAbove[i] = p.NotAbove
	}
	for i, other := range notAbove {
		if other >= 0 {
			kind.Parameters[i].NotAbove = kind.Parameters[other].Name
		}
	}
	return kind, nil
}

// Info gives what the spec says, in parts, what calls accept, and the bounds of the derivative.
func (activation *Activation) Info() (Info, error) {
	defer runtime.KeepAlive(activation)
	c := lowlevel.ActivationInfo{StructSize: unsafe.Sizeof(lowlevel.ActivationInfo{})}
	if err := check(func() Status { return lowlevel.ActivationGetInfo(activation.handle, &c) }); err != nil {
		return Info{}, err
	}
	info := Info{Spec: lowlevel.String(c.Spec), Level: lowlevel.String(c.Level),
		NegativeDomain: c.Domain == lowlevel.DomainNegative, Blend: c.Blend,
		UsesOwnDerivative: c.UsesOwnDerivative != 0, Capabilities: c.Capabilities,
		GradientMinimum: c.GradientMinimum, GradientMaximum: c.GradientMaximum}
	var err error
	if info.Forward, err = functionOf(c.ForwardKind, c.ForwardParameters); err != nil || c.SurrogateKind < 0 {
		return info, err
	}
	surrogate, err := functionOf(c.SurrogateKind, c.SurrogateParameters)
	info.Surrogate = &surrogate
	return info, err
}

// functionOf names the values of a kind's parameters, which lie in memory of C's.
func functionOf(index int32, values *float64) (Function, error) {
	kind, err := kindAt(index)
	function := Function{kind.Name, make(map[string]float64)}
	for i, value := range unsafe.Slice(values, len(kind.Parameters)) {
		function.Parameters[kind.Parameters[i].Name] = value
	}
	return function, err
}

// Levels gives the instruction sets, the lowest first.
func Levels() ([]Level, error) {
	levels := make([]Level, lowlevel.LevelCount())
	for i := range levels {
		c := lowlevel.Level{StructSize: unsafe.Sizeof(lowlevel.Level{})}
		if err := check(func() Status { return lowlevel.LevelGet(int32(i), &c) }); err != nil {
			return nil, err
		}
		levels[i] = Level{lowlevel.String(c.Name), c.Compiled != 0, c.Supported != 0, c.InUse != 0}
	}
	return levels, nil
}
