package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Faults says what goes wrong. A share is a probability from 0 to 1, drawn for calls that passed the
// checks of signature and limit; of the shares of a call at most one hits it. "Applied" means that
// the service did what it was asked for although the answer does not say so.
type Faults struct {
	Codes, CodesApplied, Items, ItemsApplied, Statuses, StatusesApplied map[int]float64    // by code
	Bodies, BodiesApplied, Raw, RawApplied                              map[string]float64 // by BodyKinds, RawKinds

	Resets, ResetsApplied, Closes, ClosesApplied, Cuts, CutsApplied                     float64
	Stalls, StallsApplied, HeadStalls, HeadStallsApplied, HalfStalls, HalfStallsApplied float64
	Drips, Spikes                                                                       float64

	Window Window // shares are drawn inside it only
	APIs   Set    // names of the APIs whose calls are hit by shares, as friend_import; nil: all

	Outages              []Outage
	SigExpire, SigRevoke []time.Duration

	Hot       Set     // From_Accounts
	HotShare  float64 // by hash of the id
	HotWindow Window

	Poison      Set     // To_Accounts or From->To pairs
	PoisonShare float64 // by hash of the pair
	PoisonInfo  string  // empty: Err_SNS_FriendImport_Param_Illegal

	OddLists                 Set // accounts whose lists are odd by the fields that follow; nil: all
	FriendNumOff, EmptyPages int64
	EndlessLists             bool
	OtherTags                Set
}

// Window is a span of time since the start: From inclusive, To exclusive; To 0 has no end. The zero
// window is always open.
type Window struct{ From, To time.Duration }

// Outage is a window in which every call meets the same fault.
type Outage struct {
	Window
	Fault Fault
}

// Fault is what happens to one call.
type Fault struct {
	Kind    FaultKind
	Code    int           // FaultCode, FaultItems: the code. FaultStatus: the HTTP status
	Name    string        // FaultBody, FaultRaw: which
	For     time.Duration // FaultSpike (0: 5 s), FaultDrip (0: 2 s), the stalls (0: until the client goes)
	Applied bool          // the service did what it was asked for
}

// FaultKind is a class of faults.
type FaultKind uint8

// The kinds of fault.
const (
	FaultCode      FaultKind = iota + 1 // ErrorCode for the whole call
	FaultItems                          // ResultCode for each item
	FaultStatus                         // HTTP status
	FaultBody                           // odd body
	FaultRaw                            // broken HTTP
	FaultReset                          // connection reset
	FaultClose                          // connection closed
	FaultCut                            // half an answer, then closed
	FaultStall                          // silence
	FaultHeadStall                      // headers, then silence
	FaultHalfStall                      // half an answer, then silence
	FaultDrip                           // slow answer; always applied
	FaultSpike                          // slow service; always applied
	// FaultRefuse is for outages: connections are reset as they come in (Server.Listener), those to
	// /_sim/ too, and so are calls on older ones.
	FaultRefuse
)

// faultNames are the names of the classes in text, by FaultKind.
var faultNames = [...]string{
	FaultCode: "code", FaultItems: "items", FaultStatus: "http", FaultBody: "body", FaultRaw: "raw",
	FaultReset: "reset", FaultClose: "close", FaultCut: "cut",
	FaultStall: "stall", FaultHeadStall: "stall-headers", FaultHalfStall: "stall-half", FaultDrip: "drip",
	FaultSpike: "spike", FaultRefuse: "refuse",
}

// String is the text form, which ParseFault reads.
func (f Fault) String() string {
	t := faultNames[f.Kind]
	switch {
	case f.Kind == 0:
	case f.Kind <= FaultStatus:
		t += ":" + strconv.Itoa(f.Code)
	case f.Name != "":
		t += ":" + f.Name
	case f.For > 0:
		t += ":" + f.For.String()
	}
	if f.Applied {
		t += "+applied"
	}
	return t
}

// ParseFault reads the text form of a fault: code:N, items:N, http:N, body:NAME, raw:NAME, reset,
// close, cut, stall, stall-headers, stall-half, drip, spike (the last five also with :DURATION) or
// refuse; with +applied behind it the service did what it was asked for.
func ParseFault(text string) (Fault, error) {
	bare, applied := strings.CutSuffix(text, "+applied")
	name, argument, given := strings.Cut(bare, ":")
	kind := FaultKind(max(0, slices.Index(faultNames[:], name)))
	f := Fault{Kind: kind, Applied: applied}
	var err error
	switch kind {
	case 0:
		return f, fmt.Errorf("no fault is called %q", name)
	case FaultCode, FaultItems, FaultStatus:
		f.Code, err = strconv.Atoi(argument)
		if err == nil && kind == FaultStatus && (f.Code < 200 || f.Code > 599) {
			err = fmt.Errorf("no HTTP status")
		}
	case FaultBody, FaultRaw:
		f.Name = argument
		names := BodyKinds()
		if kind == FaultRaw {
			names = RawKinds()
		}
		if !slices.Contains(names, argument) {
			err = fmt.Errorf("not one of %s", strings.Join(names, " "))
		}
	case FaultStall, FaultHeadStall, FaultHalfStall, FaultDrip, FaultSpike:
		if given {
			f.For, err = time.ParseDuration(argument)
		}
	default:
		if given {
			err = fmt.Errorf("takes no argument")
		}
	}
	if err != nil {
		err = fmt.Errorf("fault %q: %w", text, err)
	}
	return f, err
}

// rule is a fault and the share of calls or items that it hits.
type rule struct {
	Fault
	share float64
}

// shared is a class of faults that are drawn by shares, with the fields that hold them: a float64,
// or a map of them by code or by name.
type shared struct {
	kind           FaultKind
	plain, applied any
}

func (f *Faults) shared() []shared {
	return []shared{
		{FaultCode, &f.Codes, &f.CodesApplied},
		{FaultItems, &f.Items, &f.ItemsApplied},
		{FaultStatus, &f.Statuses, &f.StatusesApplied},
		{FaultBody, &f.Bodies, &f.BodiesApplied},
		{FaultRaw, &f.Raw, &f.RawApplied},
		{FaultReset, &f.Resets, &f.ResetsApplied},
		{FaultClose, &f.Closes, &f.ClosesApplied},
		{FaultCut, &f.Cuts, &f.CutsApplied},
		{FaultStall, &f.Stalls, &f.StallsApplied},
		{FaultHeadStall, &f.HeadStalls, &f.HeadStallsApplied},
		{FaultHalfStall, &f.HalfStalls, &f.HalfStallsApplied},
		{FaultDrip, nil, &f.Drips},
		{FaultSpike, nil, &f.Spikes},
	}
}

// kindIn is the class of faults whose shares a field holds.
func (f *Faults) kindIn(field any) FaultKind {
	all := f.shared()
	return all[slices.IndexFunc(all, func(s shared) bool { return s.plain == field || s.applied == field })].kind
}

// rules lists what is drawn for each call and what for each item, in an order that depends on
// nothing but the configuration.
func (f *Faults) rules() (calls, items []rule) {
	add := func(share float64, fault Fault) {
		switch {
		case share <= 0:
		case fault.Kind == FaultItems:
			items = append(items, rule{fault, share})
		default:
			calls = append(calls, rule{fault, share})
		}
	}
	for _, applied := range []bool{false, true} {
		for _, s := range f.shared() {
			field := s.plain
			if applied {
				field = s.applied
			}
			switch field := field.(type) {
			case *float64:
				add(*field, Fault{Kind: s.kind, Applied: applied})
			case *map[int]float64:
				for _, code := range slices.Sorted(maps.Keys(*field)) {
					add((*field)[code], Fault{Kind: s.kind, Code: code, Applied: applied})
				}
			case *map[string]float64:
				for _, name := range slices.Sorted(maps.Keys(*field)) {
					add((*field)[name], Fault{Kind: s.kind, Name: name, Applied: applied})
				}
			}
		}
	}
	return calls, items
}
