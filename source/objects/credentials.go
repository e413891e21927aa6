package objects

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// found are credentials and a function that removes secrets from messages.
type found struct {
	provider credentials.Provider
	scrub    func(string) string
}

// findCredentials returns the first credentials that the environment has, in the order of AWS' own
// tools: keys, a web identity (EKS), a container's role (ECS, EKS Pod Identity), the shared
// credentials file; then, at AWS itself, the machine's role; else anonymous. The source does not
// change during a run, because that would hide why the first one stopped working.
func findCredentials(env map[string]string, atAWS bool, region string) (found, error) {
	id, secret, token := env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]
	f := found{scrub: scrubber(secret, token)}
	file := cmp.Or(env["AWS_SHARED_CREDENTIALS_FILE"], filepath.Join(env["HOME"], ".aws", "credentials"))
	_, noFile := os.Stat(file)
	switch {
	case (id == "") != (secret == ""):
		return f, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: one of them is not set")
	case strings.ContainsFunc(id+secret+token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return f, errors.New("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN has white space or " +
			"unusual characters in it")
	case id != "":
		f.provider = &credentials.Static{Value: credentials.Value{AccessKeyID: id, SecretAccessKey: secret,
			SessionToken: token, SignerType: credentials.SignatureV4}}
	case env["AWS_WEB_IDENTITY_TOKEN_FILE"] != "" && env["AWS_ROLE_ARN"] != "",
		env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] != "", env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] != "":
		f.provider = &credentials.IAM{Region: region, Client: &http.Client{Timeout: headerTimeout}}
	case noFile == nil:
		f.provider = profile{&credentials.FileAWSCredentials{Filename: file, Profile: env["AWS_PROFILE"]}}
	case atAWS && !strings.EqualFold(env["AWS_EC2_METADATA_DISABLED"], "true"):
		f.provider = &credentials.IAM{Region: region, Client: metadataClient()}
		if _, err := f.provider.RetrieveWithCredContext(nil); err != nil { // a machine outside AWS has no role
			f.provider = anonymous
		}
	default:
		f.provider = anonymous
	}
	return f, nil
}

// profile is a profile of a credentials file. Without it no attempt succeeds, so the error is
// final.
type profile struct {
	*credentials.FileAWSCredentials
}

func (p profile) RetrieveWithCredContext(c *credentials.CredContext) (credentials.Value, error) {
	v, err := p.FileAWSCredentials.RetrieveWithCredContext(c)
	if err == nil || errors.As(err, new(*url.Error)) || errors.As(err, new(*exec.ExitError)) {
		return v, err
	}
	// The error is not quoted, because it may quote the file.
	return v, refused("AWS_PROFILE: %q cannot be read, or has no profile %q with credentials that can be used",
		p.Filename, cmp.Or(p.Profile, "default"))
}

var anonymous credentials.Provider = &credentials.Static{
	Value: credentials.Value{SignerType: credentials.SignatureAnonymous}}

func metadataClient() *http.Client {
	const timeout = 2 * time.Second
	return &http.Client{Timeout: 3 * timeout, Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: timeout}).DialContext, ResponseHeaderTimeout: timeout,
	}}
}

// scrubber returns a function that makes a store's text safe for a terminal and a log: one short
// line without the secrets.
func scrubber(secrets ...string) func(string) string {
	return func(text string) string {
		for _, secret := range secrets {
			if secret != "" {
				text = strings.ReplaceAll(text, secret, "***")
			}
		}
		text = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == unicode.ReplacementChar {
				return ' '
			}
			return r
		}, text)
		const most = 200
		if len(text) > most {
			text = strings.ToValidUTF8(text[:most], "") + "..."
		}
		return strings.TrimSpace(text)
	}
}
