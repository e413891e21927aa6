package objects

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"

	"github.com/minio/minio-go/v7"
)

// Kind is what an error means for the caller.
type Kind uint8

// The kinds of error.
const (
	Refused     Kind = iota // for the user to fix: credentials, rights, region, certificate
	Missing                 // there is no such object or bucket; the error is an fs.ErrNotExist
	Changed                 // it is no longer the version that was opened
	Unreachable             // no valid answer: it may work later
)

// Error says what is wrong with an object or its store.
type Error struct {
	Kind   Kind
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// Is reports whether target is fs.ErrNotExist and the object is missing.
func (e *Error) Is(target error) bool { return e.Kind == Missing && target == fs.ErrNotExist }

func refused(format string, args ...any) *Error {
	return &Error{Refused, fmt.Sprintf(format, args...)}
}

var (
	errStalled = errors.New("nothing came for a minute")
	errChanged = &Error{Changed, "it changed while it was being read"}
)

// judge turns an error of the client into an *Error. Every kind except Unreachable is final.
func (s *Store) judge(err error) *Error {
	known, answer := (*Error)(nil), minio.ErrorResponse{}
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &answer):
		return s.judgeAnswer(answer)
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err // *url.Error prints the URL
	}
	untrusted, record := (*tls.CertificateVerificationError)(nil), tls.RecordHeaderError{}
	switch {
	case errors.As(err, &untrusted):
		return refused("its certificate is not trusted: %s", s.scrub(untrusted.Err.Error()))
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return refused("the endpoint speaks http, not https")
	}
	return &Error{Unreachable, s.scrub(err.Error())}
}

// meanings are the meanings of S3's error codes. If a store sends no body, the client derives the
// code from the status.
var meanings = map[string]*Error{
	"NoSuchKey":          {Missing, "there is no such object"},
	"NoSuchVersion":      {Missing, "there is no such object"},
	"NoSuchBucket":       {Missing, "there is no such bucket"},
	"PreconditionFailed": errChanged,
	"InvalidRange":       errChanged,
}

func (s *Store) judgeAnswer(a minio.ErrorResponse) *Error {
	if known := meanings[a.Code]; known != nil {
		return known
	}
	moved := slices.Contains([]string{"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
		"InvalidRegion"}, a.Code)
	passing := slices.Contains([]string{"RequestTimeout", "SlowDown"}, a.Code)
	switch a.StatusCode {
	case http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return errChanged
	case http.StatusBadRequest:
		moved = moved || a.Region != "" && a.Region != s.region
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		passing = true
	}
	denied := a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusUnauthorized
	denied = denied && (a.Code == "" || a.Code == "AccessDenied")
	switch {
	case (moved || a.StatusCode/100 == 3) && a.Region != "":
		return refused("the bucket is in region %s, not %s: use --s3-region %[1]s", s.scrub(a.Region), s.region)
	case moved || a.StatusCode/100 == 3:
		return refused("the bucket is not in region %q, or not at this endpoint: see --s3-region and "+
			"--s3-endpoint (%s)", s.region, s.said(a))
	case a.Code == "SignatureDoesNotMatch":
		return refused("the signature does not fit: the secret access key is wrong, or the region that requests are "+
			"signed for (%q)", s.region)
	case denied && s.unsigned:
		return refused("access denied; no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	case denied:
		return refused("access denied: the credentials may not read it, or it is not there and they may not list " +
			"the bucket")
	case a.StatusCode/100 == 4 && !passing, a.StatusCode == http.StatusNotImplemented:
		return refused("the store refuses: %s", s.said(a))
	}
	return &Error{Unreachable, "the store answers " + s.said(a)}
}

// said returns the store's own text of an answer.
func (s *Store) said(a minio.ErrorResponse) string {
	text := a.Code
	if a.Message != "" && a.Message != a.Code {
		text += ": " + a.Message
	}
	return s.scrub(text)
}
