package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for systems without one

	"github.com/robfig/cron/v3"

	"friendmigrate/cmd/friendmigrate/settings"
)

// component is a part of an image's repository, as a kubelet reads it.
const component = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`

var (
	label     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	subdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	labelText = regexp.MustCompile(`^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$`)
	quantity  = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,3})?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$`)
	variable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	key       = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	zone      = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)
	inURL     = regexp.MustCompile(`://[^/?#\s]*@`)
	image     = regexp.MustCompile(`^([A-Za-z0-9.-]+(:[0-9]+)?/)?` + component + `(/` + component + `)*` +
		`(:[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(@sha256:[0-9a-f]{64})?$`)
)

var (
	checkName       = form(label, "small letters, digits and - inside are needed, as Kubernetes has it for names")
	checkObjectName = form(subdomain, "small letters, digits, - and . are needed, as Kubernetes has it for names")
	checkImage      = form(image, "the name of an image is needed, in small letters and without a scheme, such as "+
		"registry.example.com/friendmigrate:1.0.0")
)

// form returns the check of a flag whose value must match a pattern; needed describes the pattern.
func form(re *regexp.Regexp, needed string) func(string) error {
	return func(s string) error {
		if !re.MatchString(s) || len(s) > 253 && re == subdomain {
			return errors.New(needed)
		}
		return nil
	}
}

// checkStorageSize checks the size of a claim.
func checkStorageSize(s string) error {
	if !quantity.MatchString(s) || strings.Trim(s, "0.KMGTPik") == "" {
		return errors.New("a quantity of Kubernetes is needed, such as 20Gi")
	}
	return nil
}

// checkSchedule checks when a CronJob runs, with the parser that Kubernetes uses.
func checkSchedule(s string) error {
	if strings.Contains(s, "TZ=") {
		return errors.New("the time zone is --time-zone's")
	}
	if _, err := cron.ParseStandard(s); err != nil {
		return fmt.Errorf("minute, hour, day, month and weekday are needed, such as '0 1 * * *': %w", err)
	}
	return nil
}

// checkTimeZone checks that the time zone exists, since the API server refuses unknown ones.
func checkTimeZone(s string) error {
	if _, err := time.LoadLocation(s); err != nil || !zone.MatchString(s) || s == "Local" {
		return errors.New("a name of the IANA database is needed, such as Asia/Singapore")
	}
	return nil
}

// ParseVariable parses NAME=VALUE. Its errors do not contain the value.
func ParseVariable(s string) (Variable, error) {
	name, value, found := strings.Cut(s, "=")
	switch {
	case !found || !variable.MatchString(name):
		return Variable{}, errors.New("NAME=VALUE is needed")
	case secret.MatchString(strings.ToUpper(name)):
		return Variable{}, fmt.Errorf("%s would be in the YAML for everybody to read: keys are the Secret's", name)
	case HasUser(value), strings.HasSuffix(strings.ToUpper(name), "_PROXY") && strings.Contains(value, "@"):
		return Variable{}, fmt.Errorf("%s has a user or a password in its URL, "+
			"which would be in the YAML for everybody to read", name)
	case reserved(name):
		return Variable{}, fmt.Errorf("%s is set by the manifest itself", name)
	}
	return Variable{Name: name, Value: value}, nil
}

// HasUser reports whether a text contains a URL with a user or a password.
func HasUser(text string) bool { return inURL.MatchString(text) }

// secret matches the names of variables, in capitals, that hold secrets.
var secret = regexp.MustCompile(
	`SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|CREDENTIAL|USERSIG|API_?KEY|PRIVATE_KEY`)

// reserved matches variables that the manifest, Kubernetes or the flags of import set.
func reserved(name string) bool {
	return strings.HasPrefix(name, settings.Prefix) ||
		slices.Contains([]string{"GOMEMLIMIT", settings.IndexVariable, "AWS_ACCESS_KEY_ID"}, name)
}

// versionOf returns the tag of an image if it can be a label's value.
func versionOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	_, tag, found := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	if !found || !labelText.MatchString(tag) {
		return ""
	}
	return tag
}

func decimal(n int) string { return strconv.Itoa(n) }
