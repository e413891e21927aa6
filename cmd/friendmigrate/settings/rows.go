package settings

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"friendmigrate/source"
	"friendmigrate/source/objects"
)

// rowFlags are those that say what a row means, and --strict.
func rowFlags(o *source.Options, strict *bool) []Flag {
	return Group(groupInput,
		Open("format NAME", "by name", Text(&o.Format), "csv or jsonl, where an input's name does not say").
			among("csv", "jsonl"),
		Open("map NAME=HEADER,...", "", mapping(&o.Map),
			"columns with other headers: From_Account=uid,To_Account=friend"),
		Open("default-add-source SOURCE", "", Text(&o.DefaultAddSource),
			"for rows without AddSource: AddSource_Type_ and 1 to 8 letters"),
		Open("integer-tags TAG,...", "", list(&o.IntegerTags),
			"custom fields of a CSV that are integers; the others are strings"),
		Declare("invalid-field WHAT", "reject", Text(&o.InvalidField),
			"an optional field over its limit: reject the edge, drop the field, or cut it").among("reject", "drop",
			"cut"),
		Open("mutual", "", On(&o.Mutual), "add the missing reverse of every edge"),
		Declare("duplicates WHICH", "last", Text(&o.Duplicates),
			"of several rows for one pair: last or first wins, or error").among("last", "first", "error"),
		Declare("max-friends N", "3000", Whole(&o.MaxFriends, 0, math.MaxInt32),
			"warn about rosters over it; 0: don't"),
		Open("allow-empty", "", On(&o.AllowEmpty), "accept input without a single row"),
		Open("strict", "", On(strict), "send nothing if any row is rejected"),
	)
}

func mapping(to *map[string]string) Setter {
	// A header may end in a space.
	trim := func(s string) string { return strings.TrimRight(strings.TrimLeft(s, " \t\r\n"), "\r\n") }
	return func(values []string) error {
		pairs, err := items(values, trim)
		all := []error{err}
		*to = nil
		for _, pair := range pairs {
			name, header, found := strings.Cut(pair, "=")
			name = strings.TrimSpace(name)
			if !found || name == "" || header == "" {
				all = append(all, fmt.Errorf("has %q: it is NAME=HEADER, the API's name and the header in the input, "+
					"such as From_Account=uid", pair))
				continue
			}
			if other, twice := (*to)[name]; twice && other != header {
				all = append(all, fmt.Errorf("names two headers for %s: %q and %q", name, other, header))
			}
			if *to == nil {
				*to = map[string]string{}
			}
			(*to)[name] = header
		}
		return errors.Join(all...)
	}
}

// objectFlags say where s3:// is. Credentials have none: they come from the environment, as AWS'
// own tools take them, and are read when an INPUT is there.
func objectFlags(c *objects.Config) []Flag {
	return Group(groupObjects,
		Open("s3-endpoint URL", "AWS_ENDPOINT_URL_S3, or AWS", Text(&c.Endpoint),
			"of the store: https://cos.ap-guangzhou.myqcloud.com is Tencent COS"),
		Open("s3-region NAME", "AWS_REGION, or by endpoint", Text(&c.Region), "of the bucket"),
		Choose("s3-addressing HOW", &c.Addressing, "virtual (https://bucket.host/key), path (https://host/bucket/key) "+
			"or auto: virtual for AWS and COS", objects.Auto, objects.Path, objects.Virtual),
	)
}
