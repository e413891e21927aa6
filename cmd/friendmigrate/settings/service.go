package settings

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// RehearsalFolder is the name of the state folder of a rehearsal.
const RehearsalFolder = "friendmigrate-rehearsal"

// RehearsalApp is the app of a rehearsal without --sdk-app-id.
const RehearsalApp = 1400000000

const year = 365 * 24 * time.Hour

// Service says where calls go and who signs them.
type Service struct {
	SDKAppID    uint64
	Identifier  string
	Key         Key
	SigLifetime time.Duration
	Region      string // or Endpoint
	Endpoint    string // scheme://host[:port]
	BackupHost  bool
	PlainHTTP   bool
	CAFile      string
	Rehearse    bool
	RealTime    bool // with Rehearse: at the service's pace
}

// Target returns the service as it is in the job's identity: a region, whichever of its hosts is
// used, an endpoint, or the rehearsal.
func (s Service) Target() string {
	switch {
	case s.Rehearse:
		return "rehearsal"
	case s.Region != "":
		return "region " + s.Region
	}
	return "endpoint " + s.Endpoint
}

func (s *Service) check(r *Reader) {
	if s.Rehearse { // the command of the real run is accepted, with or without credentials
		s.Region, s.Endpoint, s.Key = "", "", Key{}
		s.SDKAppID = cmp.Or(s.SDKAppID, RehearsalApp)
		return
	}
	if s.RealTime {
		r.warn("--rehearse-real-time changes nothing without --rehearse: this is the real service")
	}
	if !r.Given("sdk-app-id") {
		unless := ""
		if r.has("rehearse") {
			unless = " (with --rehearse none is needed)"
		}
		r.missing("--sdk-app-id is missing%s", unless)
	}
	if !s.Key.Given() {
		r.missing("the secret key is missing: give the file with it by --secret-key-file, or set %s", KeyVariable)
	}
	s.checkTarget(r)
	r.Add(CheckProxies(r.Env))
}

func (s *Service) checkTarget(r *Reader) {
	regions := sink.Regions()
	switch {
	case s.Region != "" && s.Endpoint != "":
		// A flag takes precedence over a variable, even over that of the other setting.
		_, fromRegion := r.Look("region")
		_, fromEndpoint := r.Look("endpoint")
		switch {
		case fromRegion == "--region" && fromEndpoint != "--endpoint":
			s.Endpoint = ""
		case fromEndpoint == "--endpoint" && fromRegion != "--region":
			s.Region = ""
		default:
			r.Refuse("region", "", "%s and %s are both given: one of them says where the app is", fromRegion,
				fromEndpoint)
		}
	case s.Region == "" && s.Endpoint == "":
		r.missing("--region is missing: %s; or --endpoint URL", strings.Join(regions, ", "))
	}
	if s.Region != "" && !slices.Contains(regions, s.Region) {
		meant, nearest := ".", migrate.Nearest(s.Region, max(2, len(s.Region)/2), regions...)
		if nearest != "" {
			meant = fmt.Sprintf(", did you mean %s?", nearest)
		}
		r.Refuse("region", cmp.Or(nearest, "REGION"), "--region is %q%s It can be %s; "+
			"for another one give its host with --endpoint", s.Region, meant, strings.Join(regions, ", "))
	}
	if s.BackupHost && s.Region == "" {
		r.Refuse("backup-host", "", "--backup-host is the second host of a --region, which is not given")
	}
	if s.Endpoint != "" {
		checked, err := CheckEndpoint(s.Endpoint, s.PlainHTTP)
		if err != nil {
			r.Refuse("endpoint", "https://HOST", "%w", err)
		}
		s.Endpoint = checked
	}
}

// KeyVariable names the variable that can hold the secret key. There is no flag for the key, since
// every user of a machine can see command lines.
const KeyVariable = Prefix + "SECRET_KEY"

// Key says where the secret key is. A file takes precedence over the variable.
type Key struct {
	File  string
	Value sink.Secret
}

// Given reports whether a key or its file is given.
func (k Key) Given() bool { return k.File != "" || !k.Value.Empty() }

// Source returns the key in the form that the client needs, after reading it once to check it. No
// error contains what was read. Reading a named pipe waits for its writer.
func (k Key) Source() (sink.KeySource, error) {
	if k.File == "" {
		if err := k.Value.CheckKey(); err != nil {
			return nil, fmt.Errorf("read secret key: %s: %w", KeyVariable, err)
		}
		return sink.StaticKey(k.Value), nil
	}
	if IsKey(k.File) {
		return nil, errors.New("--secret-key-file needs the name of a file: " +
			"what was given looks like the key itself and is not repeated here")
	}
	source := sink.KeyFile(k.File)
	_, err := source()
	return source, err
}

// IsKey reports whether the name of a file seems to be the key itself: no file has that name.
func IsKey(file string) bool {
	_, err := os.Stat(file)
	return err != nil && looksLikeKey(file)
}

// looksLikeKey finds a key that was given instead of its file: one word of at least 16 letters and
// digits, perhaps in quotes.
func looksLikeKey(s string) bool {
	s = strings.Trim(s, "\"'` \t\r\n")
	return len(s) >= 16 && strings.ContainsAny(s, "0123456789") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
