package verify

import (
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
)

// outcomes says what became of some edges in the job that imported them. The job's journal spells out only exceptions in memory, and holds the rest in its file in no
// order of use here; so it is read once for a window of edges, whatever order they are asked for in.
type outcomes struct {
	keys  []int64 // of the edges: chunk times 1000 and index, ascending
	known []outcome
	texts []string // of failures, each once
}

type outcome struct {
	kind migrate.Kind // Again: pending
	code int32
	text int32 // in texts
}

// window is how many edges are looked up at once: some 24 bytes each.
const window = 1 << 20

func keyOf(ordinal int64, index int) int64 { return ordinal*migrate.MaxChunkEdges + int64(index) }

// lookUp reads the outcomes of edges out of a job's journal. It keeps keys and sorts them.
func lookUp(job *checkpoint.Journal, keys []int64) (*outcomes, error) {
	slices.Sort(keys)
	o := &outcomes{keys: keys, known: make([]outcome, len(keys)), texts: []string{""}}
	if len(keys) == 0 {
		return o, nil
	}
	texts := map[string]int32{"": 0}
	first := keys[0] / migrate.MaxChunkEdges
	last := keys[len(keys)-1] / migrate.MaxChunkEdges
	for s, err := range job.Settlements(first, last-first+1) {
		if err != nil {
			return nil, err
		}
		i, asked := slices.BinarySearch(keys, keyOf(s.Ordinal, s.Index))
		if !asked {
			continue
		}
		if s.Reopened {
			o.known[i] = outcome{}
			continue
		}
		text, ok := texts[s.Outcome.Info]
		if !ok && len(texts) < 1000 { // texts of the service are few
			text = int32(len(o.texts))
			texts[s.Outcome.Info] = text
			o.texts = append(o.texts, s.Outcome.Info)
		}
		o.known[i] = outcome{kind: s.Outcome.Kind, code: int32(s.Outcome.Code), text: text}
	}
	return o, nil
}

// of says what became of an edge: a word of the account, and for a failed one its code and text.
func (o *outcomes) of(key int64) (word string, code int, text string) {
	i, ok := slices.BinarySearch(o.keys, key)
	if !ok {
		return "", 0, ""
	}
	switch known := o.known[i]; known.kind {
	case migrate.Imported:
		return "imported", 0, ""
	case migrate.Already:
		return "already", 0, ""
	case migrate.Failed:
		return "failed", int(known.code), o.texts[known.text]
	}
	return "pending", 0, ""
}
