package search

import (
	"reflect"
	"testing"

	"github.com/stanch-dev/stanch/scanner/project"
)

// TestDetectorName: each field makes another detector, and the order of a list does not.
func TestDetectorName(t *testing.T) {
	d := detector(t, project.Options{})
	seen := map[string]string{d.Name(): "nothing"}
	fields := reflect.TypeOf(d)
	for i := range fields.NumField() {
		other, name := d, fields.Field(i).Name
		switch v := reflect.ValueOf(&other).Elem().Field(i); v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Int64:
			v.SetInt(1)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Slice:
			v.Set(reflect.ValueOf([]string{"x"}))
		default: // the ignore files of a project
			other = detector(t, project.Options{HonorLive: true})
		}
		if before, ok := seen[other.Name()]; ok {
			t.Errorf("a change of %s makes the same detector as a change of %s", name, before)
		}
		seen[other.Name()] = name
	}
	one, two := d, d
	one.Accounts, two.Accounts = []string{"1", "2"}, []string{"2", "1", "2"}
	if one.Name() != two.Name() {
		t.Error("the order of a list makes another detector")
	}
	if one.Accounts[1] != "2" || two.Accounts[0] != "2" {
		t.Errorf("the lists are changed: %q, %q", one.Accounts, two.Accounts)
	}
}

func detector(t *testing.T, o project.Options) Detector {
	t.Helper()
	config, err := project.Read(o)
	if err != nil {
		t.Fatal(err)
	}
	return Detector{Project: config}
}

// TestBuild: a build of a checkout is told from another of the same version.
func TestBuild(t *testing.T) {
	one, err := Build("1.0.0")
	if err != nil || one == "" || one == "1.0.0" {
		t.Errorf("%q, %v", one, err)
	}
}
