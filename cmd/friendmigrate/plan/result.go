package plan

import (
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/source"
)

// Version of the JSON form. It changes when a key changes its meaning or goes.
const Version = 2

// Plan is what an import would take. With shards everything in it is about one shard, except
// Mutual, which is about the whole input.
type Plan struct {
	Version  int               `json:"version"`
	Program  string            `json:"program"`
	Inputs   []report.Input    `json:"inputs"`
	Options  map[string]string `json:"options"`
	Shard    string            `json:"shard,omitempty"`
	Warnings []string          `json:"warnings"`

	Rows       Rows     `json:"rows"`
	RejectedBy []Reason `json:"rejectedBy"`

	// the inputs of which every row is rejected for one reason, and that reason
	WhyAllRejected string `json:"allRejected,omitempty"`

	Edges    int64 `json:"edges"` // distinct; added ones included
	Added    int64 `json:"added"` // by --mutual: no row asked for them
	Accounts int64 `json:"accounts"`

	Calls        int64    `json:"calls"`                // if nothing has to be sent twice
	AskCalls     int64    `json:"askCalls,omitempty"`   // of those, friend_check first
	PilotCalls   int64    `json:"pilotCalls,omitempty"` // of those, for --only-accounts
	ExtraCalls   int64    `json:"extraCalls"`           // of those, because of --chunk-bytes
	CallBytes    int64    `json:"chunkBytes"`
	Rate         float64  `json:"rate,omitempty"`         // calls per second of this shard
	LeastSeconds *float64 `json:"leastSeconds,omitempty"` // absent: no limit
	Bytes        int64    `json:"bytesOnTheWire"`         // of the calls' JSON
	Disk         Disk     `json:"disk"`

	MaxFriends  int64    `json:"maxFriends"`
	OverFriends int64    `json:"rostersOverMaxFriends"`
	OverGroups  int64    `json:"accountsOver32Groups"`
	Largest     []Roster `json:"largestRosters"`
	Mutual      Mutual   `json:"mutual"`

	AboutBoth int64 `json:"accountsOfBothSidesAbout"` // distinct ids, estimated
	Code      int   `json:"code"`                     // exit code
}

// Rows counts the rows that were read by outcome. Read - Rejected - Duplicate equals Edges - Added.
type Rows struct {
	Read              int64 `json:"read"`
	Rejected          int64 `json:"rejected"`
	RejectedElsewhere int64 `json:"rejectedElsewhere,omitempty"` // of other shards, not among Read
	Duplicate         int64 `json:"duplicate"`
	Differing         int64 `json:"differing"` // of the duplicates, those with other fields
	Changed           int64 `json:"changed"`   // by --invalid-field

	ManyLines source.ManyLines `json:"recordsOfManyLines"` // that a stray quote may have made of many rows
}

// Reason counts the rows that are rejected for one reason.
type Reason struct {
	Reason string  `json:"reason"`
	Rows   int64   `json:"rows"`
	First  []Place `json:"first"` // some of them
}

// Place is the place of a row in an input.
type Place struct {
	Input string `json:"input"`
	Line  int64  `json:"line"`
	Row   string `json:"row"` // its beginning
}

// Disk is the space that the job needs on disk, in bytes.
type Disk struct {
	Staged int64 `json:"staged"` // the staged input, until clean; an upper bound
}

// Roster is an account and the number of its distinct friends.
type Roster struct {
	Account string `json:"account"`
	Friends int64  `json:"friends"`
}

// Mutual counts the pairs with a row in each direction. If there are very many pairs, it counts a
// sample.
type Mutual struct {
	Share   float64 `json:"share"`
	Pairs   int64   `json:"pairs"`
	Both    int64   `json:"both"`
	Sampled bool    `json:"sampled"`
}
