# text to text: it parses nothing
{
    head -n 1 "$yellow"
    tail -n +2 "$yellow" | LC_ALL=C sort --parallel=2 -S "$mem" -T "$tmp" -t, -k2,2 -k8,8n
} >"${out%.arrow}.csv"
