package source

import (
	"testing"

	"friendmigrate/cmd/trial/quick"
)

func TestMain(m *testing.M) { quick.On(m).Run() }
