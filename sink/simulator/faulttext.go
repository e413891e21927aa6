package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The names of the classes of faults, by FaultKind.
var faultNames = [...]string{
	FaultCode: "code", FaultItems: "items", FaultStatus: "http", FaultBody: "body", FaultRaw: "raw",
	FaultReset: "reset", FaultClose: "close", FaultCut: "cut",
	FaultStall: "stall", FaultHeadStall: "stall-headers", FaultHalfStall: "stall-half", FaultDrip: "drip",
	FaultSpike: "spike", FaultRefuse: "refuse",
}

// takes is what stands behind the colon: a code, a name, a duration that may be left out, or
// nothing.
func (k FaultKind) takes() string {
	switch k {
	case FaultCode, FaultItems, FaultStatus:
		return "code"
	case FaultBody, FaultRaw:
		return "name"
	case FaultStall, FaultHeadStall, FaultHalfStall, FaultDrip, FaultSpike:
		return "duration"
	}
	return ""
}

// String is the text form, which ParseFault reads.
func (f Fault) String() string {
	if f.Kind == 0 || int(f.Kind) >= len(faultNames) {
		return ""
	}
	t := faultNames[f.Kind]
	switch f.Kind.takes() {
	case "code":
		t += ":" + strconv.Itoa(f.Code)
	case "name":
		t += ":" + f.Name
	case "duration":
		if f.For > 0 {
			t += ":" + f.For.String()
		}
	}
	if f.Applied {
		t += "+applied"
	}
	return t
}

// ParseFault reads the text form of a fault: code:N, items:N, http:N, body:NAME, raw:NAME, reset,
// close, cut, stall, stall-headers, stall-half, drip, spike (the last five with :DURATION if it is
// not the configured one) or refuse; with +applied behind it the service did what it was asked for.
func ParseFault(text string) (Fault, error) {
	bare, applied := strings.CutSuffix(text, "+applied")
	name, argument, given := strings.Cut(bare, ":")
	kind := FaultKind(max(0, slices.Index(faultNames[:], name)))
	if kind == 0 {
		return Fault{}, fmt.Errorf("no fault is called %q", name)
	}
	f := Fault{Kind: kind, Applied: applied}
	var err error
	switch takes := kind.takes(); {
	case takes == "code":
		f.Code, err = strconv.Atoi(argument)
		if err == nil && kind == FaultStatus && (f.Code < 200 || f.Code > 599) {
			err = fmt.Errorf("no HTTP status")
		}
	case takes == "name":
		f.Name = argument
		if !slices.Contains(kind.namesOf(), argument) {
			err = fmt.Errorf("not one of %s", strings.Join(kind.namesOf(), " "))
		}
	case takes == "duration" && given:
		f.For, err = time.ParseDuration(argument)
	case given:
		err = fmt.Errorf("takes no argument")
	}
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

func (k FaultKind) namesOf() []string {
	if k == FaultRaw {
		return RawKinds()
	}
	return BodyKinds()
}

// share is a fault with the share of the calls that it hits.
type share struct {
	Fault
	share float64
}

// shareTable lists the faults that are drawn per call, in an order that depends on nothing but the
// configuration.
func (f *Faults) shareTable() []share {
	var table []share
	add := func(s float64, fault Fault) {
		if s > 0 {
			table = append(table, share{fault, s})
		}
	}
	for _, applied := range [...]bool{false, true} {
		pick := func(plain, other float64) float64 {
			if applied {
				return other
			}
			return plain
		}
		codes, statuses, bodies, raw := f.Codes, f.Statuses, f.Bodies, f.Raw
		if applied {
			codes, statuses, bodies, raw = f.CodesApplied, f.StatusesApplied, f.BodiesApplied, f.RawApplied
		}
		for _, code := range sortedKeys(codes) {
			add(codes[code], Fault{Kind: FaultCode, Code: code, Applied: applied})
		}
		for _, status := range sortedKeys(statuses) {
			add(statuses[status], Fault{Kind: FaultStatus, Code: status, Applied: applied})
		}
		for _, name := range sortedKeys(bodies) {
			add(bodies[name], Fault{Kind: FaultBody, Name: name, Applied: applied})
		}
		for _, name := range sortedKeys(raw) {
			add(raw[name], Fault{Kind: FaultRaw, Name: name, Applied: applied})
		}
		add(pick(f.Resets, f.ResetsApplied), Fault{Kind: FaultReset, Applied: applied})
		add(pick(f.Closes, f.ClosesApplied), Fault{Kind: FaultClose, Applied: applied})
		add(pick(f.Cuts, f.CutsApplied), Fault{Kind: FaultCut, Applied: applied})
		add(pick(f.Stalls, f.StallsApplied), Fault{Kind: FaultStall, Applied: applied})
		add(pick(f.HeadStalls, f.HeadStallsApplied), Fault{Kind: FaultHeadStall, Applied: applied})
		add(pick(f.HalfStalls, f.HalfStallsApplied), Fault{Kind: FaultHalfStall, Applied: applied})
	}
	add(f.Drips, Fault{Kind: FaultDrip, Applied: true})
	return table
}

func sortedKeys[K int | string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
