package libsugar

import (
	"unsafe"

	"libsugar/lowlevel"
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
		c := lowlevel.Kind{StructSize: unsafe.Sizeof(lowlevel.Kind{})}
		if err := check(func() Status { return lowlevel.KindGet(int32(i), &c) }); err != nil {
			return nil, err
		}
		kinds[i] = Kind{Name: lowlevel.String(c.Name), Alias: lowlevel.String(c.Alias), Value: lowlevel.String(c.Value),
			Derivative: lowlevel.String(c.Derivative), Source: lowlevel.String(c.Source),
			Forward: c.Roles&lowlevel.RoleForward != 0, Surrogate: c.Roles&lowlevel.RoleSurrogate != 0,
			Capabilities: c.Capabilities, Parameters: make([]Parameter, c.ParameterCount)}
		for j := range kinds[i].Parameters {
			p := lowlevel.Parameter{StructSize: unsafe.Sizeof(lowlevel.Parameter{})}
			if err := check(func() Status { return lowlevel.KindGetParameter(int32(i), int32(j), &p) }); err != nil {
				return nil, err
			}
			kinds[i].Parameters[j] = Parameter{lowlevel.String(p.Name), p.DefaultValue, p.Minimum, p.Maximum}
		}
	}
	return kinds, nil
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
