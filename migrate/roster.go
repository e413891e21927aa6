package migrate

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
}
