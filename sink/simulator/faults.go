package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Faults describes what goes wrong. "Applied" means that the service did what the call asked for
// although the answer does not say so.
type Faults struct {
	// Shares are probabilities from 0 to 1, by the text of a fault (ParseFault). Faults are drawn
	// for calls that passed the checks of signature and limit, those of "items:N" for each item. At
	// most one hits a call.
	Shares map[string]float64

	Window Window // faults are drawn only inside it
	APIs   Set    // names of the APIs whose calls the shares hit, such as friend_import; nil: all

	Outages              []Outage
	SigExpire, SigRevoke []time.Duration

	Hot       Set     // From_Accounts
	HotShare  float64 // by hash of the id
	HotWindow Window

	Poison      Set     // To_Accounts or From->To pairs
	PoisonShare float64 // by hash of the pair
	PoisonInfo  string  // empty: Err_SNS_FriendImport_Param_Illegal

	OddLists                 Set // accounts whose lists the fields below make odd; nil: all
	FriendNumOff, EmptyPages int64
	EndlessLists             bool
	OtherTags                Set
}

// Outage is a window in which the same fault hits every call.
type Outage struct {
	Window
	Fault Fault
}

// Fault is a failure of one call.
type Fault struct {
	Kind    FaultKind
	Code    int           // FaultCode, FaultItems: the code. FaultStatus: the HTTP status
	Name    string        // FaultBody, FaultRaw: the name of the kind
	For     time.Duration // FaultSpike (0: 5 s), FaultDrip (0: 2 s), the stalls (0: until the client goes)
	Applied bool          // the service did what the call asked for
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
	// FaultRefuse is for outages. Connections are reset as they come in (Server.Listener), those to
	// /_sim/ too, and so are calls on older connections.
	FaultRefuse
)

// faultKinds holds the classes of faults by FaultKind: the name in texts, the parser of the
// argument after it, and the flag that sets its share of the calls.
var faultKinds = [...]struct {
	name   string
	read   func(f *Fault, argument string) error
	flag   string // empty: no share; for outages and scripts only
	value  string // of the flag
	usage  string
	always bool // always applied
}{
	FaultCode: {"code", number, "fault-code", "CODE=SHARE,...", "whole calls answered with an ErrorCode", false},
	FaultItems: {"items", number, "fault-item", "CODE=SHARE,...",
		"items answered with a ResultCode; 30006, 30007 and 30008 pass, others stick to the edge", false},
	FaultStatus: {"http", status, "fault-http", "STATUS=SHARE,...",
		"calls answered with an HTTP status and a page of HTML", false},
	FaultBody: {"body", named(BodyKinds), "fault-body", "KIND=SHARE,...",
		"calls answered with an odd body: " + strings.Join(BodyKinds(), " "), false},
	FaultRaw: {"raw", named(RawKinds), "fault-raw", "KIND=SHARE,...",
		"calls answered with broken HTTP: " + strings.Join(RawKinds(), " "), false},
	FaultReset:     {"reset", noArgument, "fault-reset", "SHARE", "connection reset instead of an answer", false},
	FaultClose:     {"close", noArgument, "fault-close", "SHARE", "connection closed instead of an answer", false},
	FaultCut:       {"cut", noArgument, "fault-cut", "SHARE", "half an answer, then closed", false},
	FaultStall:     {"stall", duration, "fault-stall", "SHARE", "no answer", false},
	FaultHeadStall: {"stall-headers", duration, "fault-stall-headers", "SHARE", "headers, then nothing", false},
	FaultHalfStall: {"stall-half", duration, "fault-stall-half", "SHARE", "half an answer, then nothing", false},
	FaultDrip:      {"drip", duration, "fault-drip", "SHARE", "the answer comes in small pieces, over 2 s", true},
	FaultSpike:     {"spike", duration, "fault-spike", "SHARE", "the service works 5 s longer", true},
	FaultRefuse:    {name: "refuse", read: noArgument},
}

func number(f *Fault, argument string) (err error) {
	f.Code, err = strconv.Atoi(argument)
	return err
}

func status(f *Fault, argument string) error {
	if err := number(f, argument); err != nil || f.Code < 200 || f.Code > 599 {
		return errors.New("no HTTP status")
	}
	return nil
}

func named(kinds func() []string) func(*Fault, string) error {
	return func(f *Fault, argument string) error {
		if f.Name = argument; !slices.Contains(kinds(), argument) {
			return fmt.Errorf("not one of %s", strings.Join(kinds(), " "))
		}
		return nil
	}
}

func duration(f *Fault, argument string) (err error) {
	f.For, err = time.ParseDuration(cmp.Or(argument, "0"))
	return err
}

func noArgument(_ *Fault, argument string) error {
	if argument != "" {
		return errors.New("takes no argument")
	}
	return nil
}

// String returns the text form of the fault, which ParseFault reads.
func (f Fault) String() string {
	t := faultKinds[f.Kind].name
	switch {
	case f.Code != 0:
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
// refuse. With +applied at its end the service did what the call asked for.
func ParseFault(text string) (Fault, error) {
	bare, applied := strings.CutSuffix(text, "+applied")
	name, argument, _ := strings.Cut(bare, ":")
	for kind, k := range faultKinds {
		if name == "" || k.name != name {
			continue
		}
		f := Fault{Kind: FaultKind(kind), Applied: applied}
		err := k.read(&f, argument)
		if err != nil {
			err = fmt.Errorf("fault %q: %w", text, err)
		}
		return f, err
	}
	return Fault{}, fmt.Errorf("no fault is called %q", name)
}

// rule is a fault and the share of calls or items that it hits.
type rule struct {
	Fault
	share float64
}

// rules returns what is drawn for each call and for each item, in an order that depends only on the
// configuration. It panics if a text is not a fault.
func (f *Faults) rules() (calls, items []rule) {
	for text, share := range f.Shares {
		fault, err := ParseFault(text)
		if err != nil {
			panic("simulator: " + err.Error())
		}
		fault.Applied = fault.Applied || faultKinds[fault.Kind].always
		if fault.Kind == FaultItems {
			items = append(items, rule{fault, share})
		} else {
			calls = append(calls, rule{fault, share})
		}
	}
	for _, list := range [][]rule{calls, items} {
		slices.SortFunc(list, func(a, b rule) int {
			applied := strings.Compare(strconv.FormatBool(a.Applied), strconv.FormatBool(b.Applied))
			return cmp.Or(applied, cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Code, b.Code),
				strings.Compare(a.Name, b.Name))
		})
	}
	return calls, items
}
