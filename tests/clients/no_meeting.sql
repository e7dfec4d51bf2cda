drop function public.act_in_meeting;
drop policy meeting_delete_own on storage.objects;
drop policy meeting_update_own on storage.objects;
drop policy meeting_insert_own on storage.objects;
drop policy meeting_select_own on storage.objects;
drop policy meeting_send on realtime.messages;
drop policy meeting_receive on realtime.messages;
drop table public.meeting_notes;
