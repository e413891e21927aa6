package migrate

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// evidence finds the field that makes the service refuse edges: the refused ones have it and no
// edge that landed has. It looks at all edges that landed in the run, so that a field which many
// edges have by chance is soon above suspicion.
type evidence struct {
	landed map[string]bool // fields of edges that landed
	calls  int             // calls that were refused for one of their edges
	bytes  int             // of the smallest of those with several edges
	held   map[string]int  // how many of those had the field in one edge at least
	chunks map[string]int  // weight of the chunks whose refused edges all have the field
}

// fields lists optional fields under the API's names, each once.
type fields []string

// mostFields bounds what looking for a name takes. An app has at most 20 custom fields.
const mostFields = 100

func (f *fields) add(name string) {
	if !slices.Contains(*f, name) && len(*f) < mostFields {
		*f = append(*f, name)
	}
}

// addOf adds the optional fields of an edge.
func (f *fields) addOf(e *Edge) {
	if e.Remark != "" {
		f.add("Remark")
	}
	if e.RemarkTime != 0 {
		f.add("RemarkTime")
	}
	if len(e.Groups) > 0 {
		f.add("GroupName")
	}
	if e.AddWording != "" {
		f.add("AddWording")
	}
	if e.AddTime != 0 {
		f.add("AddTime")
	}
	for i := range e.Custom {
		f.add(e.Custom[i].Tag)
	}
}

// common is what both have.
func (f fields) common(other fields) fields {
	return slices.DeleteFunc(slices.Clone(f), func(name string) bool { return !slices.Contains(other, name) })
}

// land clears fields of edges that the service has taken.
func (v *evidence) land(f fields) {
	for _, name := range f {
		if v.landed == nil {
			v.landed = map[string]bool{}
		}
		v.landed[name] = true
		delete(v.held, name)
		delete(v.chunks, name)
	}
}

// call counts a call that was refused for one of its edges. f is the fields of all its edges, bytes
// its size, 0 for a single edge.
func (v *evidence) call(f fields, bytes int) {
	v.calls++
	if bytes > 0 && (v.bytes == 0 || bytes < v.bytes) {
		v.bytes = bytes
	}
	v.held = v.count(v.held, f, 1)
}

// chunk counts a chunk that was halved to the end. shared is what its refused edges have in common.
func (v *evidence) chunk(shared fields, weight int) {
	v.chunks = v.count(v.chunks, shared, weight)
}

func (v *evidence) count(in map[string]int, f fields, weight int) map[string]int {
	for _, name := range f {
		if v.landed[name] {
			continue
		}
		if in == nil {
			in = map[string]int{}
		}
		in[name] += weight
	}
	return in
}

// ofCalls is the fields that each refused call had.
func (v *evidence) ofCalls() []string { return suspects(v.held, v.calls) }

// ofChunks is the fields that refused edges share in chunks of this weight together.
func (v *evidence) ofChunks(weight int) []string { return suspects(v.chunks, weight) }

// suspects lists what was counted so often, custom fields first: those have to be created in the
// console.
func suspects(counted map[string]int, least int) []string {
	if len(counted) == 0 {
		return nil
	}
	names := slices.DeleteFunc(slices.Collect(maps.Keys(counted)),
		func(name string) bool { return counted[name] < least })
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
	})
	return names
}

func rank(name string) int {
	if strings.HasPrefix(name, "Tag_") {
		return 0
	}
	return 1
}
