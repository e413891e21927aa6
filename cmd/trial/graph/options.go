package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Order is the order of rows.
type Order string

// The orders. Sorted and Reversed go by the number of From_Account, which is the order of bytes where ids are padded to one width.
const (
	Shuffled Order = "shuffled"
	Sorted   Order = "sorted"
	Reversed Order = "reversed"
)

// Format is the form of rows.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// Field is an optional field of an edge.
type Field string

// The optional fields, by their names in the API.
const (
	Remark     Field = "Remark"
	RemarkTime Field = "RemarkTime"
	GroupName  Field = "GroupName"
	AddWording Field = "AddWording"
	AddTime    Field = "AddTime"
)

// AllFields are the optional fields in the order of their columns.
func AllFields() []Field { return []Field{Remark, RemarkTime, GroupName, AddWording, AddTime} }

// Custom is a custom field of an edge, a string or an integer.
type Custom struct {
	Tag     string
	Integer bool
}

// Options say what to generate. Start from Default.
type Options struct {
	Seed uint64

	// The graph.
	Edges      int64   // distinct valid edges, hubs included; at most 2^36
	Mean       float64 // friends of an account on average, at least 1. In a graph of few accounts it comes out lower, since friends are accounts too
	Sigma      float64 // of the log-normal distribution of friends: 0 is the same number for all, 1 to 1.3 is what networks have
	MaxFriends int     // of an account that is no hub, 1 to 3000
	Mutual     float64 // share of pairs with both directions, hubs left out, 0 to 1
	Hubs       int     // accounts with exactly HubFriends friends, none of whom has the hub as a friend
	HubFriends int64   // any number: more than there are accounts leads to friends without a roster

	// The rows.
	Order        Order
	Format       Format
	ID           string // pattern of an account id with one %d or %08d for its number
	Fields       []Field
	Custom       []Custom
	Fill         float64 // share of rows in which an optional field is filled, each by itself
	AddSources   []string
	Unicode      bool // texts of many scripts among the optional fields
	Awkward      bool // remarks with quotes, commas and line breaks
	BOM          bool // a UTF-8 byte order mark at the beginning
	CRLF         bool // rows end with CR LF
	Unterminated bool // the last row has no line end

	// What a reader has to sort out, as shares of Edges and together at most 1.
	Duplicates float64 // second rows of a pair; every other one has other fields than the first. No pair has more than two rows
	Bad        float64 // rows that must be rejected, of all BadKinds in turn, at least one of each
	BadKinds   []Kind  // none: all that Format and the fields allow
}

// Default is a graph of 10,000 edges as plain as they can be, in random order.
func Default() Options {
	return Options{
		Seed: 1, Edges: 10_000, Mean: 12, Sigma: 1.1, MaxFriends: 3000, Mutual: 0.9, Order: Shuffled, Format: CSV, ID: "u%08d", Fill: 0.5,
		AddSources: []string{"AddSource_Type_Import"},
	}
}

const (
	maxEdges  = 1 << 36
	maxFriend = 3000 // friends of one account (limits page)
	maxID     = 32   // bytes of an account id (limits page)
)

// otherSource is the AddSource of duplicates that differ.
const otherSource = "AddSource_Type_Other"

func (o *Options) has(f Field) bool { return slices.Contains(o.Fields, f) }

func (o *Options) check() error {
	switch {
	case o.Edges < 0 || o.Edges > maxEdges:
		return fmt.Errorf("edges: %d is not in 0 to %d", o.Edges, int64(maxEdges))
	case !(o.Mean >= 1) || o.Mean > float64(o.MaxFriends):
		return fmt.Errorf("mean: %g is not in 1 to the most friends, %d", o.Mean, o.MaxFriends)
	case !(o.Sigma >= 0 && o.Sigma <= 4):
		return fmt.Errorf("sigma: %g is not in 0 to 4", o.Sigma)
	case o.MaxFriends < 1 || o.MaxFriends > maxFriend:
		return fmt.Errorf("most friends: %d is not in 1 to %d", o.MaxFriends, maxFriend)
	case !(o.Mutual >= 0 && o.Mutual <= 1):
		return fmt.Errorf("mutual: %g is no share", o.Mutual)
	case o.Hubs < 0 || o.HubFriends < 0 || (o.Hubs > 0) != (o.HubFriends > 0):
		return errors.New("hubs: give both how many and with how many friends")
	case o.Hubs > 0 && o.HubFriends > o.Edges/int64(o.Hubs):
		return fmt.Errorf("hubs: %d with %d friends are more than %d edges", o.Hubs, o.HubFriends, o.Edges)
	case !(o.Fill >= 0 && o.Fill <= 1):
		return fmt.Errorf("fill: %g is no share", o.Fill)
	case !(o.Duplicates >= 0 && o.Bad >= 0 && o.Duplicates+o.Bad <= 1):
		return fmt.Errorf("duplicates and bad rows: %g and %g of the edges are not in 0 to 1 together", o.Duplicates, o.Bad)
	}
	return o.checkNames()
}

func (o *Options) checkNames() error {
	switch o.Order {
	case Shuffled, Sorted, Reversed:
	default:
		return fmt.Errorf("order: %q is not shuffled, sorted or reversed", o.Order)
	}
	if o.Format != CSV && o.Format != JSONL {
		return fmt.Errorf("format: %q is not csv or jsonl", o.Format)
	}
	for _, f := range o.Fields {
		if !slices.Contains(AllFields(), f) {
			return fmt.Errorf("fields: %q is not one of %q", f, AllFields())
		}
	}
	for _, c := range o.Custom {
		if !plain(c.Tag, "Tag_SNS_Custom_") {
			return fmt.Errorf("custom: %q is not Tag_SNS_Custom_ and a name", c.Tag)
		}
	}
	if len(o.AddSources) == 0 {
		return errors.New("add sources: at least one is needed")
	}
	for _, s := range o.AddSources {
		if !plain(s, sourcePrefix) || len(s) > len(sourcePrefix)+8 || s == otherSource {
			return fmt.Errorf("add sources: %q is not %s and 1 to 8 letters (and not the %s of duplicates)", s, sourcePrefix, otherSource)
		}
	}
	return nil
}

const sourcePrefix = "AddSource_Type_"

// plain reports whether s is prefix and then letters, digits and underscores.
func plain(s, prefix string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	return ok && rest != "" && !strings.ContainsFunc(rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
