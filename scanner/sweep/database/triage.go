package database

// triage adds the work of people on findings.
var triage = migration{
	"",
	"",
}
