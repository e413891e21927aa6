package inspect

import "friendmigrate/source"

// Again is what the state knows of the command line that made it: what a row means, and the inputs.
// The service, its key and the pace are not in it.
type Again struct {
	Options map[string]string // flags by name with their dashes, those only that are not as by default
	Inputs  []string
}

// Again tells how the job was called. ok is false where no state has got far enough to know.
func (jobs Jobs) Again() (a Again, ok bool) {
	for _, j := range jobs {
		if j.Journal != nil && len(j.counts.Inputs) > 0 {
			return j.again(), true
		}
	}
	return Again{}, false
}

func (j *Job) again() Again {
	a := Again{Options: map[string]string{}}
	usual := source.Options{}.Canonical()
	for flag, value := range j.Journal.Identity().Options {
		if value != usual[flag] {
			a.Options[flag] = value
		}
	}
	for _, in := range j.counts.Inputs {
		a.Inputs = append(a.Inputs, in.Name)
	}
	return a
}
