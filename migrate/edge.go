package migrate

import "iter"

// Limits of the service (vendor's page "Limits").
const (
	MaxAccountBytes = 32 // of an account id
	MaxGroups       = 32 // distinct groups over one account's friends
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
	Added bool // no row of the input: the missing reverse of the row at Position (--mutual)
}

// CustomItem is a custom friend field. The API takes a string or an integer as its value, and the
// two are not the same to it.
type CustomItem struct {
	Tag     string // Tag_SNS_Custom_ and a keyword
	Value   string // a string as it is, an integer as its decimal digits
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

// Roster is all edges of one From_Account, in the order of the input and without duplicates, cut in
// chunks.
type Roster struct {
	From       string
	First      int64 // ordinal of its first chunk; the others follow
	Chunks     int   // at least 1
	Edges      int64
	ChunkBytes int64 // memory that the largest of its chunks takes when loaded, an upper estimate

	// Load reads chunk i, 0 <= i < Chunks. It is cheap for the chunk that it read last and for the
	// one after it, and is called by one goroutine at a time, which may change between calls. An
	// error means that the staged input is damaged or could not be read: it ends the job.
	Load func(i int) (Chunk, error)

	// Only says which edges of chunk i the run is about; nil: all of them. It is safe for
	// concurrent use.
	Only func(i int) EdgeSet
}

// Size is how many edges chunk i has.
func (r *Roster) Size(i int) int {
	return int(min(MaxChunkEdges, r.Edges-int64(i)*MaxChunkEdges))
}

// Only narrows a plan to a part of its edges, and leaves out rosters that have none of it. part tells
// which of the n edges of a chunk belong to it; it is asked in the order of the plan.
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
