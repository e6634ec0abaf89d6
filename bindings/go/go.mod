module libsugar

go 1.19
