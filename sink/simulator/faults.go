package simulator

import "time"

// Faults says what goes wrong. A share is a probability from 0 to 1. Of the shares of a call at
// most one hits it; items are drawn one by one. "Applied" means that the service did what it was
// asked for although the answer doesn't say so; without it nothing was done.
//
// Shares are drawn for calls that passed the checks of signature and limit; outages and Script come
// before those.
type Faults struct {
	Codes, CodesApplied           map[int]float64    // the whole call is answered with this ErrorCode
	Items, ItemsApplied           map[int]float64    // an item is answered with this ResultCode; 30006 30007 30008 are drawn at each call, others once per edge
	Statuses, StatusesApplied     map[int]float64    // HTTP status with a page of HTML
	Bodies, BodiesApplied         map[string]float64 // HTTP 200 with an odd body, see BodyKinds
	Raw, RawApplied               map[string]float64 // broken HTTP, see RawKinds
	Resets, ResetsApplied         float64            // connection reset instead of an answer
	Closes, ClosesApplied         float64            // connection closed instead of an answer
	Cuts, CutsApplied             float64            // answer cut off half-way, then reset
	Stalls, StallsApplied         float64            // no byte of an answer
	HeadStalls, HeadStallsApplied float64            // headers, then silence
	HalfStalls, HalfStallsApplied float64            // half an answer, then silence
	Drips                         float64            // the answer takes DripFor, in small pieces
	Spikes                        float64            // the service works SpikeFor longer

	StallFor time.Duration // a stalled call is reset after this long; 0: when the client goes
	DripFor  time.Duration // 0: 2 s
	SpikeFor time.Duration // 0: 5 s

	Window Window // shares are drawn inside it only; zero: always
	APIs   Set    // names of the APIs whose calls are hit by shares, as friend_import; nil: all

	Outages []Outage

	SigExpire []time.Duration // at these times every signature seen or made before is declared expired: 70001
	SigRevoke []time.Duration // the same, revoked: 70052
	// a signature is expired after this long at most, whatever it says itself; 0: as it says
	SigLifetime time.Duration

	Hot       Set     // From_Accounts whose friend_import is answered HotCode inside HotWindow
	HotShare  float64 // share of all accounts that are hot, by hash of the id
	HotCode   int     // 30008 (0)
	HotWindow Window  // zero: always

	Poison      Set     // To_Accounts or From->To pairs: a friend_import that holds one is refused as a whole
	PoisonShare float64 // share of all edges that are poisonous, by hash of the pair
	PoisonCode  int     // 30001 (0)
	PoisonInfo  string  // its ErrorInfo; empty: Err_SNS_FriendImport_Param_Illegal

	// What is odd about the pages of friend_get for the accounts in OddLists, nil: for all.
	OddLists     Set
	FriendNumOff int64 // FriendNum is so much more than there are friends, or less
	EmptyPages   int64 // pages without friends before each page that has some
	EndlessLists bool  // behind the last friend the list begins again, and its indices go on
	OtherTags    Set   // tags that friend_import does not have, with a value for each friend

	RedirectTo string // Location of a 3xx; empty: a page of the simulator that counts who follows
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
	For     time.Duration // FaultSpike, FaultDrip, the stalls: how long; 0: as configured
	Applied bool          // the service did what it was asked for
}

// FaultKind is a class of faults.
type FaultKind uint8

// The classes of faults.
const (
	FaultCode      FaultKind = iota + 1 // ErrorCode for the whole call
	FaultItems                          // ResultCode for each item
	FaultStatus                         // HTTP status
	FaultBody                           // odd body
	FaultRaw                            // broken HTTP
	FaultReset                          // connection reset
	FaultClose                          // connection closed
	FaultCut                            // half an answer, then reset
	FaultStall                          // silence
	FaultHeadStall                      // headers, then silence
	FaultHalfStall                      // half an answer, then silence
	FaultDrip                           // slow answer; always applied
	FaultSpike                          // slow service; always applied
	FaultRefuse                         // outages: connections are reset as they come in (Server.Listener), those to /_sim/ too, and calls on older ones
)
