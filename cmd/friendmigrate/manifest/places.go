package manifest

import (
	"errors"
	"path"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source"
)

// CheckPlaces refuses the combinations of paths that import would refuse, by their names only.
func (o Options) CheckPlaces() error {
	state := o.State
	if o.Rehearse {
		state = path.Join(state, settings.RehearsalFolder)
	}
	var errs []error
	for _, in := range o.Inputs {
		if !ObjectStore(in) {
			errs = append(errs, folder.CheckNames("--input", in, state, !source.IsInput(path.Base(in), "")))
		}
	}
	for _, word := range o.Words {
		flag, name, _ := strings.Cut(word, "=")
		if flag != "--only-accounts" && flag != "--ca-file" {
			continue
		}
		if !path.IsAbs(name) {
			name = path.Join(Folder, name)
		}
		errs = append(errs, folder.CheckNames(flag, name, state, false))
	}
	return errors.Join(errs...)
}
