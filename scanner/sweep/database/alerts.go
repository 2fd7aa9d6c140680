package database

// alerts adds news of findings that are to be told, and to whom.
var alerts = migration{
	"",
	"",
}
