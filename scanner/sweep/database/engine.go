package database

// engine adds what the engine knows of targets, repositories and GitHub.
var engine = migration{
	"",
	"",
}
