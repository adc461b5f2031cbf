module rack

go 1.19
