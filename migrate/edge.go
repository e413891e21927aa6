package migrate

import "iter"

// Limits of the service (vendor's page "Limits").
const (
	MaxAccountBytes = 32 // of an account id
	MaxGroups       = 32 // distinct groups over all friends of one account
)

// Edge is one friendship in one direction: From_Account has To_Account as a friend. A zero optional
// field is absent and is not sent.
type Edge struct {
	From, To   string
	Remark     string // at most 96 bytes of UTF-8
	RemarkTime int64  // Unix seconds
	Groups     []string
	AddSource  string // required: AddSource_Type_ and 1 to 8 English letters
	AddWording string // at most 256 bytes of UTF-8
	AddTime    int64  // Unix seconds
	Custom     []CustomItem

	Position
	Added bool // not a row of the input, but the missing reverse of the row at Position (--mutual)
}

// CustomItem is a custom friend field. Its value in the API is a string or an integer, and the API
// distinguishes them.
type CustomItem struct {
	Tag     string // Tag_SNS_Custom_ and a keyword
	Value   string // the string itself, or the decimal digits of the integer
	Integer bool
}

// Position says where an edge came from. Positions order the edges of a roster.
type Position struct {
	Input int   // index of the input in the job, from 0
	Line  int64 // line of the uncompressed input, from 1, at which the record begins
}

// Before reports whether p comes before q in the job's input.
func (p Position) Before(q Position) bool {
	return p.Input < q.Input || p.Input == q.Input && p.Line < q.Line
}

// Roster is all edges of one From_Account, in the order of the input, without duplicates, cut into
// chunks.
type Roster struct {
	From        string
	First       int64 // ordinal of its first chunk; the others follow it
	Chunks      int   // at least 1
	Edges       int64
	ChunkMemory int64 // upper estimate of the memory that its largest chunk takes when loaded

	// Load reads chunk i, 0 <= i < Chunks. Package stage sets it, in walk.go. It is cheap for the
	// chunk that it read last and for the next one. One goroutine at a time calls it, not always
	// the same. An error means that the staged input is damaged or could not be read; it ends the
	// job.
	Load func(i int) (Chunk, error)

	// Only returns the edges of chunk i that the run is about; nil: all. It is safe for concurrent
	// use.
	Only func(i int) EdgeSet
}

// Size returns how many edges chunk i has: MaxChunkEdges, or what is left for the last one.
func (r *Roster) Size(i int) int {
	return int(min(MaxChunkEdges, r.Edges-int64(i)*MaxChunkEdges))
}

// Only narrows a plan to a part of its edges and leaves out rosters without any edge of that part.
// part returns which of the n edges of a chunk belong to the part; it is called in the order of the
// plan.
func Only(
	plan iter.Seq2[Roster, error], part func(ordinal int64, n int) (EdgeSet, error),
) iter.Seq2[Roster, error] {
	return func(yield func(Roster, error) bool) {
		for r, err := range plan {
			sets, some := make([]EdgeSet, r.Chunks), false
			for i := 0; err == nil && i < r.Chunks; i++ {
				sets[i], err = part(r.First+int64(i), r.Size(i))
				some = some || sets[i] != (EdgeSet{})
			}
			r.Only = func(i int) EdgeSet { return sets[i] }
			if (some || err != nil) && (!yield(r, err) || err != nil) {
				return
			}
		}
	}
}
