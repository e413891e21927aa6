package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // where the system has none

	"github.com/robfig/cron/v3"
)

var (
	label     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	subdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	labelText = regexp.MustCompile(`^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$`)
	image     = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9._:/@]*[A-Za-z0-9])?$`)
	quantity  = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,3})?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$`)
	variable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	zone      = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$`)
	inURL     = regexp.MustCompile(`://[^/?#\s]*@`)
)

// checkName checks a name that becomes part of host names and labels.
func checkName(s string) error {
	if !label.MatchString(s) {
		return errors.New("small letters, digits and - inside are needed, as Kubernetes has it for names")
	}
	return nil
}

// checkObjectName checks the name of an object that is there already.
func checkObjectName(s string) error {
	if !subdomain.MatchString(s) || len(s) > 253 {
		return errors.New("small letters, digits, - and . are needed, as Kubernetes has it for names")
	}
	return nil
}

// checkImage checks the name of an image.
func checkImage(s string) error {
	if !image.MatchString(s) {
		return errors.New("the name of an image is needed, such as registry.example.com/friendmigrate:1.0.0")
	}
	return nil
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

// checkTimeZone checks that there is such a time zone, since the API server refuses one that it does not know.
func checkTimeZone(s string) error {
	if _, err := time.LoadLocation(s); err != nil || !zone.MatchString(s) || s == "Local" {
		return errors.New("a name of the IANA database is needed, such as Asia/Singapore")
	}
	return nil
}

// ParseVariable reads NAME=VALUE. No error of it repeats the value.
func ParseVariable(s string) (Variable, error) {
	name, value, found := strings.Cut(s, "=")
	switch {
	case !found || !variable.MatchString(name):
		return Variable{}, errors.New("NAME=VALUE is needed")
	case secret(strings.ToUpper(name)):
		return Variable{}, fmt.Errorf("%s would stand in the YAML for everybody to read: keys are the Secret's", name)
	case HasUser(value), strings.HasSuffix(strings.ToUpper(name), "_PROXY") && strings.Contains(value, "@"):
		return Variable{}, fmt.Errorf("%s has a user or a password in its URL, which would stand in the YAML for everybody to read", name)
	case reserved(name):
		return Variable{}, fmt.Errorf("%s is set by the manifest itself", name)
	}
	return Variable{Name: name, Value: value}, nil
}

// HasUser reports whether a text is a URL, or has one in it, with a user or a password.
func HasUser(text string) bool { return inURL.MatchString(text) }

// secret tells by a variable's name in capitals that it holds what nobody else may read.
func secret(name string) bool {
	for _, word := range []string{"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "TOKEN", "CREDENTIAL", "USERSIG", "API_KEY", "APIKEY", "PRIVATE_KEY"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// reserved is for variables that the manifest, Kubernetes or the flags of import set.
func reserved(name string) bool {
	return strings.HasPrefix(name, "FRIENDMIGRATE_") || name == "GOMEMLIMIT" || name == "JOB_COMPLETION_INDEX" || name == "AWS_ACCESS_KEY_ID"
}

// versionOf is the tag of an image where it can be a label's value.
func versionOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	_, tag, found := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	if !found || !labelText.MatchString(tag) {
		return ""
	}
	return tag
}

func decimal(n int) string { return strconv.Itoa(n) }
