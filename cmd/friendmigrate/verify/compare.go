package verify

import (
	"slices"

	"friendmigrate/migrate"
)

// Differences names the fields that the input has and that the service has otherwise or not at all,
// by the API's names. RemarkTime cannot be read back, so nothing is said of it; what the input does
// not have may be anything.
func Differences(want, got *migrate.Edge) []string {
	var fields []string
	note := func(differs bool, name string) {
		if differs {
			fields = append(fields, name)
		}
	}
	note(want.Remark != "" && want.Remark != got.Remark, "Remark")
	note(len(want.Groups) > 0 && !slices.Equal(set(want.Groups), set(got.Groups)), "GroupName")
	note(want.AddSource != "" && want.AddSource != got.AddSource, "AddSource")
	note(want.AddWording != "" && want.AddWording != got.AddWording, "AddWording")
	note(want.AddTime != 0 && want.AddTime != got.AddTime, "AddTime")
	for _, item := range want.Custom {
		note(!slices.Contains(got.Custom, item), item.Tag) // a string and an integer are not the same
	}
	return fields
}

// set is a list without order and repetition: the service promises none for groups.
func set(groups []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(groups)))
}
